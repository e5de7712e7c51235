//! A service that was asked for by name: it is to be known to the health service, so what else is a warning is a
//! failure here.

use std::path::Path;

use super::http_answer::{Told, credentials};
use super::words::{list, quoted};
use super::{Code, Fix};
use crate::config::nearest;
use crate::probe::{Reflection, Rpc, RpcOutcome, Serving};
use crate::text::{printable, quoted as shell_quoted};

/// Services that are told.
const TOLD: usize = 5;

/// The health service does not know the service.
pub(super) fn unknown(service: &str, rpc: &Rpc) -> Told {
    let shown = quoted(service);
    let (headline, answer) = match rpc.outcome {
        RpcOutcome::Health(Serving::Unknown) => (
            format!("the health service answers UNKNOWN for {shown}"),
            "it does not say whether the service serves",
        ),
        _ => (
            format!("the health service does not know {shown}"),
            "nothing is registered there under this name",
        ),
    };
    let overall = match &rpc.overall {
        Some(RpcOutcome::Health(Serving::Serving)) => " The server as a whole is SERVING.",
        Some(RpcOutcome::Health(Serving::NotServing)) => " The server as a whole is NOT_SERVING.",
        _ => "",
    };
    let names = registered(rpc);
    let reported = match &names[..] {
        [] => String::new(),
        [name] => format!(" Reflection reports the service {}.", quoted(name)),
        names => format!(" Reflection reports the services {}.", told(names)),
    };
    let why = format!("The connection is fine; {answer}.{overall}{reported}");
    let similar = nearest(service, names.iter().copied()).filter(|it| *it != service);
    let mut steps = Vec::new();
    let report = "have the server report it, each service by its own name:";
    match similar {
        Some(similar) => {
            let similar = printable(&shell_quoted(Path::new(similar)));
            steps.push(format!("did you mean `--service {similar}`?"));
            steps.push(format!("or {report}"));
        }
        None => steps.push(report.to_owned()),
    }
    let name = printable(service).replace('`', "'");
    steps.push(format!(
        "tonic: `set_service_status(\"{name}\", ServingStatus::Serving)`"
    ));
    steps.push(format!(
        "Go: `SetServingStatus(\"{name}\", healthpb.HealthCheckResponse_SERVING)`"
    ));
    (Code::GrpcServiceUnknown, headline, why, Fix::steps(steps))
}

/// The services of the server, without those that gRPC brings along.
fn registered(rpc: &Rpc) -> Vec<&str> {
    let Some(Reflection::Listed(services)) = &rpc.reflection else {
        return Vec::new();
    };
    let names = services.names.iter().map(String::as_str);
    let brought = |it: &&str| it.starts_with("grpc.health.") || it.starts_with("grpc.reflection.");
    names.filter(|it| !brought(it)).collect()
}

fn told(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(TOLD).map(|it| quoted(it)).collect();
    let mut first: Vec<&str> = first.iter().map(String::as_str).collect();
    let more = format!("{} more", names.len().saturating_sub(TOLD));
    if names.len() > TOLD {
        first.push(&more);
    }
    list(&first)
}

/// There is no health service to ask.
pub(super) fn unimplemented(service: &str) -> Told {
    (
        Code::GrpcServiceUnchecked,
        format!(
            "{} cannot be checked: the server has no health service",
            quoted(service)
        ),
        "The connection is fine: gRPC answered, only grpc.health.v1 is not there.".to_owned(),
        Fix::steps([
            "add one to the server: tonic-health, grpcio-health-checking, or grpc-go's health",
            "or leave `--service` out, if an answer of any kind is enough",
        ]),
    )
}

/// The health service wants to know who asks.
pub(super) fn behind_credentials(service: &str, status: &str, message: &str, rpc: &Rpc) -> Told {
    (
        Code::GrpcServiceUnchecked,
        format!(
            "{} cannot be checked: the health service wants credentials",
            quoted(service)
        ),
        format!("The connection is fine; gRPC answered {status} {message}."),
        Fix::steps(credentials(rpc)),
    )
}
