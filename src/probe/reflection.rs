//! The services of a server, as `grpc.reflection` tells them: v1, and where that is not there v1alpha.

use tokio::time::{Instant, timeout_at};
use tonic::Code;

use super::grpc::Connection;
use super::recorder::Tape;

/// Services that are kept.
const MAX_SERVICES: usize = 1000;
/// What is kept of the name of a service, in characters.
const MAX_NAME: usize = 256;

/// What reflection says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reflection {
    /// The services of the server.
    Listed(Services),
    /// There was no answer, or none that can be read.
    NoAnswer,
    /// The server does not offer it.
    NotOffered,
    /// The server refused, with this gRPC status.
    Refused(i32),
}

/// The services of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// `v1` or `v1alpha`.
    pub version: &'static str,
    /// Their names in order, the first thousand of them.
    pub names: Vec<String>,
    /// How many there are.
    pub count: usize,
}

/// Asks for the services; reads one answer, however many come.
pub(super) async fn list(connection: &Connection, deadline: Instant) -> Reflection {
    let ask = async {
        match v1::list(connection).await {
            Reflection::NotOffered => v1alpha::list(connection).await,
            answer => answer,
        }
    };
    let answer = timeout_at(deadline, ask).await;
    answer.unwrap_or(Reflection::NoAnswer)
}

/// The two versions have the same messages, as types of their own.
macro_rules! version {
    ($version:ident) => {
        mod $version {
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

            use super::{Connection, Reflection, refused, services};

            pub(super) async fn list(connection: &Connection) -> Reflection {
                let (recorder, tape) = connection.recorder();
                let mut client = ServerReflectionClient::new(recorder);
                let request = ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(MessageRequest::ListServices(String::new())),
                };
                let request = connection.request(tokio_stream::once(request));
                let first = async {
                    let answers = client.server_reflection_info(request).await?;
                    answers.into_inner().message().await
                };
                match first.await {
                    Ok(Some(answer)) => match answer.message_response {
                        Some(MessageResponse::ListServicesResponse(list)) => {
                            let names = list.service.into_iter().map(|it| it.name);
                            Reflection::Listed(services(stringify!($version), names))
                        }
                        Some(MessageResponse::ErrorResponse(error)) => {
                            Reflection::Refused(error.error_code)
                        }
                        _ => Reflection::NoAnswer,
                    },
                    Ok(None) | Err(_) => refused(&tape.get()),
                }
            }
        }
    };
}

version!(v1);
version!(v1alpha);

/// Why there is no list.
fn refused(tape: &Tape) -> Reflection {
    match (tape.refusal(), &tape.http) {
        (Some((code, _)), _) if code == Code::Unimplemented as i32 => Reflection::NotOffered,
        (Some((code, _)), _) => Reflection::Refused(code),
        // A proxy that has no route for it.
        (None, Some(http)) if !http.is_grpc() => Reflection::NotOffered,
        (None, _) => Reflection::NoAnswer,
    }
}

fn services(version: &'static str, all: impl ExactSizeIterator<Item = String>) -> Services {
    let count = all.len();
    let cut = |name: String| name.chars().take(MAX_NAME).collect::<String>();
    let mut names: Vec<_> = all.take(MAX_SERVICES).map(cut).collect();
    names.sort();
    Services {
        version,
        names,
        count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_and_long_names_are_cut() {
        let all = (0..10_000).map(|it| format!("{it:05}{}", "x".repeat(10_000)));
        let services = services("v1", all);
        assert_eq!((services.count, services.names.len()), (10_000, 1000));
        assert!(services.names.iter().all(|it| it.len() == 256));
        assert!(services.names.is_sorted());
    }
}
