//! What gRPC answered: in JSON, and the services of the server for people.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Style, VerifyReport};
use crate::probe::{Reflection, Rpc, RpcOutcome, Serving, reason_name};
use crate::text::{plural, printable};

/// Column of what a stage says.
const MESSAGE: usize = 21;
/// Width of a line.
const WIDTH: usize = 78;
/// Services that are shown; more than these only where everything is.
const SHOWN: usize = 3;

impl VerifyReport {
    fn rpc(&self) -> Option<&Rpc> {
        let mut sessions = self.observation.sessions.iter();
        sessions.find_map(|it| it.rpc.as_ref())
    }

    pub(super) fn grpc(&self) -> Option<Value> {
        let rpc = self.rpc()?;
        let (code, message) = match &rpc.outcome {
            RpcOutcome::Health(_) => (Some(0), None),
            RpcOutcome::Status(code, message) => (Some(*code), Some(message)),
            _ => (None, None),
        };
        let http = rpc.http.as_ref();
        Some(json!({
            "health": {
                "service": rpc.service.as_deref().unwrap_or_default(),
                "status": serving(&rpc.outcome),
                "code": code,
                "message": message,
                "overall": rpc.overall.as_ref().map_or(Value::Null, |it| serving(it).into()),
            },
            "reflection": rpc.reflection.as_ref().map(reflection),
            "headers_sent": rpc.sent,
            "goaway": rpc.goaway.as_ref().map(|it| reason_name(it.reason)),
            "http_status": http.map(|it| it.status),
            "content_type": http.and_then(|it| it.content_type.as_ref()),
            "server": http.and_then(|it| it.server.as_ref()),
            "via": http.and_then(|it| it.via.as_ref()),
        }))
    }

    /// Below the stage: the services of the server, where reflection was asked for.
    pub(super) fn services(&self, style: Style) -> String {
        let Some(Reflection::Listed(services)) = self.reflection(style) else {
            let why = match self.reflection(style) {
                Some(Reflection::NotOffered) => "not offered",
                Some(Reflection::Refused(_)) => "refused",
                Some(Reflection::NoAnswer) => "no answer that can be read",
                _ => return String::new(),
            };
            return format!("{:MESSAGE$}reflection: {why}\n", "");
        };
        let count = plural(services.count, "service");
        let head = format!("reflection {}: {count}", services.version);
        let mut text = format!("{:MESSAGE$}{head}\n", "");
        // The server's own before those that gRPC brings along.
        let mut names: Vec<&String> = services.names.iter().collect();
        names.sort_by_key(|it| it.starts_with("grpc."));
        let mut cut = usize::MAX;
        if !style.verbose {
            names.truncate(SHOWN);
            cut = WIDTH - MESSAGE;
        }
        for name in &names {
            let name = printable(name);
            let mut short: String = name.chars().take(cut).collect();
            if short.len() < name.len() {
                short.pop();
                short.push('…');
            }
            let _ = writeln!(text, "{:MESSAGE$}{short}", "");
        }
        if names.len() < services.count {
            let more = plural(services.count - names.len(), "other");
            let how = match services.names.len() {
                _ if style.verbose => "",
                kept if kept < services.count => " (-v shows more)",
                _ => " (-v shows all)",
            };
            let _ = writeln!(text, "{:MESSAGE$}and {more}{how}", "");
        }
        text
    }

    /// What is to be shown of reflection. Where a service is unknown, the cause names the others already.
    fn reflection(&self, style: Style) -> Option<&Reflection> {
        let rpc = self.rpc()?;
        let told = rpc.overall.is_some() && !style.verbose;
        rpc.reflection.as_ref().filter(|_| !told)
    }
}

fn serving(outcome: &RpcOutcome) -> Option<&'static str> {
    match outcome {
        RpcOutcome::Health(Serving::NotServing) => Some("NOT_SERVING"),
        RpcOutcome::Health(Serving::Serving) => Some("SERVING"),
        RpcOutcome::Health(Serving::ServiceUnknown) => Some("SERVICE_UNKNOWN"),
        RpcOutcome::Health(Serving::Unknown) => Some("UNKNOWN"),
        _ => None,
    }
}

fn reflection(seen: &Reflection) -> Value {
    match seen {
        Reflection::Listed(services) => json!({
            "version": services.version,
            "services": services.names,
            "count": services.count,
        }),
        Reflection::NoAnswer | Reflection::NotOffered | Reflection::Refused(_) => {
            json!({ "version": null, "services": [], "count": 0 })
        }
    }
}
