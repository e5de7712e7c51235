//! What a server says at each stage of a connection when it says what nobody foresaw.

use std::sync::Arc;

use prost::Message;
use rustls::ServerConfig;
use tonic_reflection::pb::v1;
use v1::server_reflection_response::MessageResponse;

use super::frames::{self, answer, message, random, random_answer, serving};
use super::ground::Ground;
use super::noise::Noise;
use super::peer::{End, Session, Speech, Turn};

/// Where the server goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// In its answer to a ClientHello.
    Hello,
    /// In its certificates, and in the revocation lists that we were given.
    Chain,
    /// Inside the session, where SETTINGS should be.
    Settings,
    /// In the frames after SETTINGS.
    Frames,
    /// In the HTTP response and the body of the health check.
    Health,
    /// In what reflection says.
    Reflection,
}

/// First octets of others, which a port may turn out to be.
const GREETINGS: [&[u8]; 12] = [
    b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n",
    b"<!DOCTYPE html><html>",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"220 mail.example.com ESMTP\r\n",
    b"-ERR unknown command 'PRI'\r\n",
    b"J\0\0\0\x0a8.0.36\0",
    b"E\0\0\0\x53SFATAL\0",
    b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64",
    b"\x15\x03\x03\0\x02\x02\x28",
    b"\x15\x03\x01\0\x02\x02\x46",
    b"\x15\x03\x03\0\x02\x01\x70",
    b"\x16\x03\x03\0\x04\x0e\0\0\0",
];

impl Stage {
    /// What is done with the connections, one after the other.
    pub fn turns(self, ground: &Ground, noise: &mut Noise) -> Vec<Turn> {
        let config = match self {
            Self::Chain => ground.odd(noise),
            _ => ground.either(noise),
        };
        let count = 1 + noise.below(4);
        let turn = |_| Turn {
            speech: self.speech(ground, noise, &config),
            end: *noise.pick(&[End::Close, End::Close, End::Close, End::Drop, End::Silence]),
            cut: noise.below(40),
        };
        (0..count).map(turn).collect()
    }

    fn speech(self, ground: &Ground, noise: &mut Noise, config: &Arc<ServerConfig>) -> Speech {
        let mut session = well();
        match self {
            Self::Hello => return hello(ground, noise),
            Self::Chain if noise.one_in(4) => {
                return Speech::Flight(config.clone(), noise.below(1 << 30) as u64);
            }
            Self::Chain => {}
            Self::Settings => {
                session.greeting = match noise.below(3) {
                    0 => noise.octets(400),
                    1 => changed(noise, &frames::settings()),
                    _ => greeting(noise),
                };
                if noise.one_in(4) {
                    let octets = match noise.below(2) {
                        0 => noise.octets(400),
                        _ => greeting(noise),
                    };
                    return Speech::Broken(config.clone(), session, octets);
                }
            }
            Self::Frames => match noise.below(3) {
                0 => session.greeting.extend(random(noise)),
                1 => session.answers = vec![random(noise), serving()],
                _ => session.answers = vec![changed(noise, &serving())],
            },
            Self::Health => {
                let answers = (0..2).map(|_| random_answer(noise, &[8, 1]));
                session.answers = answers.collect();
            }
            Self::Reflection => {
                let list = reflection(noise);
                let said = match noise.below(4) {
                    0 => random_answer(noise, &list),
                    1 => changed(noise, &answer(&message(&list))),
                    _ => answer(&message(&list)),
                };
                session.answers = vec![serving(), said];
            }
        }
        Speech::Session(config.clone(), session)
    }
}

/// A session in which nothing is wrong.
pub fn well() -> Session {
    Session {
        greeting: frames::settings(),
        answers: vec![serving()],
    }
}

fn changed(noise: &mut Noise, octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    noise.change(&mut octets);
    octets
}

fn greeting(noise: &mut Noise) -> Vec<u8> {
    let greeting = *noise.pick(&GREETINGS);
    match noise.below(3) {
        0 => greeting.to_vec(),
        1 => [greeting, &noise.text()].concat(),
        _ => changed(noise, greeting),
    }
}

fn hello(ground: &Ground, noise: &mut Noise) -> Speech {
    match noise.below(4) {
        0 => Speech::Clear(noise.octets(400)),
        1 => Speech::Clear(greeting(noise)),
        _ => Speech::Flight(ground.either(noise), noise.below(1 << 30) as u64),
    }
}

/// A message of reflection.
fn reflection(noise: &mut Noise) -> Vec<u8> {
    let text = |noise: &mut Noise| String::from_utf8_lossy(&noise.text()).into_owned();
    let answer = match noise.below(6) {
        0 => None,
        1 => Some(MessageResponse::ErrorResponse(v1::ErrorResponse {
            error_code: noise.number() as i32,
            error_message: text(noise),
        })),
        2 => Some(MessageResponse::FileDescriptorResponse(
            v1::FileDescriptorResponse {
                file_descriptor_proto: vec![noise.octets(100)],
            },
        )),
        _ => {
            let count = noise.below(6);
            let service = (0..count).map(|_| v1::ServiceResponse { name: text(noise) });
            let service = service.collect();
            let list = v1::ListServiceResponse { service };
            Some(MessageResponse::ListServicesResponse(list))
        }
    };
    let mut octets = v1::ServerReflectionResponse {
        valid_host: text(noise),
        original_request: None,
        message_response: answer,
    }
    .encode_to_vec();
    if noise.one_in(3) {
        noise.change(&mut octets);
    }
    octets
}
