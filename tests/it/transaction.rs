//! What the next command makes of a change that was interrupted.

use std::fs;

use crate::support::{Project, SERVER};

const STAGE: &str = "pki/.grpc-pki/stage";
const RECORD: &str = "pki/.grpc-pki/commit.json";

/// A project in which a renewal of `server` stopped with its files staged; the new certificate with it.
fn interrupted() -> (Project, String) {
    let project = Project::issued(SERVER);
    let old = ["server.key", "server.crt"].map(|file| project.read(&format!("pki/{file}")));
    project.run("issue --force").ok();
    fs::create_dir(project.path(STAGE)).unwrap();
    let new = project.read("pki/server.crt");
    for (file, old) in ["server.key", "server.crt"].iter().zip(old) {
        fs::rename(
            project.path(&format!("pki/{file}")),
            project.path(&format!("{STAGE}/{file}")),
        )
        .unwrap();
        project.write(&format!("pki/{file}"), old);
    }
    (project, new)
}

fn record(project: &Project, files: &str, lines: &str) {
    let offset = fs::metadata(project.path("pki/issued.jsonl"))
        .unwrap()
        .len();
    let lines = serde_json::to_string(lines).unwrap();
    project.write(
        RECORD,
        format!("{{\"files\":{files},\"append\":{{\"offset\":{offset},\"lines\":{lines}}}}}"),
    );
}

fn is_clean(project: &Project) {
    assert!(!project.path(STAGE).exists() && !project.path(RECORD).exists());
}

#[test]
fn what_was_committed_is_completed() {
    let (project, new) = interrupted();
    let log = project.read("pki/issued.jsonl");
    record(
        &project,
        r#"["server.key","server.crt"]"#,
        "{\"name\":\"x\"}\n",
    );
    let ran = project.run("issue").ok();
    assert!(
        ran.stdout
            .starts_with("nothing to do: 1 certificate is current"),
        "{}",
        ran.stdout
    );
    assert_eq!(project.read("pki/server.crt"), new);
    assert_eq!(
        project.read("pki/issued.jsonl"),
        format!("{log}{{\"name\":\"x\"}}\n")
    );
    is_clean(&project);
}

#[test]
fn what_was_committed_and_half_done_is_completed_once() {
    let (project, new) = interrupted();
    let log = project.read("pki/issued.jsonl");
    record(
        &project,
        r#"["server.key","server.crt"]"#,
        "{\"name\":\"x\"}\n",
    );
    // The key was put into place and half a line was written before the end.
    let staged = project.path(&format!("{STAGE}/server.key"));
    fs::rename(staged, project.path("pki/server.key")).unwrap();
    project.write("pki/issued.jsonl", format!("{log}{{\"na"));
    project.run("issue").ok();
    assert_eq!(project.read("pki/server.crt"), new);
    assert_eq!(
        project.read("pki/issued.jsonl"),
        format!("{log}{{\"name\":\"x\"}}\n")
    );
    is_clean(&project);
}

#[test]
fn what_was_not_committed_is_dropped() {
    let (project, new) = interrupted();
    let ran = project.run("issue").ok();
    assert!(ran.stdout.starts_with("nothing to do"), "{}", ran.stdout);
    assert_ne!(project.read("pki/server.crt"), new);
    is_clean(&project);
}

#[test]
fn a_record_never_reaches_out_of_the_folder() {
    for files in [
        r#"["../certs.toml"]"#,
        r#"["/etc/passwd"]"#,
        r#"["a/b"]"#,
        r#"[".."]"#,
    ] {
        let (project, _) = interrupted();
        record(&project, files, "");
        let before = project.read("certs.toml");
        let ran = project.run("issue").exits(3);
        assert!(
            ran.stderr.contains("commit.json is damaged"),
            "{}",
            ran.stderr
        );
        assert_eq!(project.read("certs.toml"), before);
    }
}
