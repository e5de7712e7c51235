//! What may stand in the way of writing, and whose files they are afterwards.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn mode(project: &Project, file: &str, mode: u32) {
    fs::set_permissions(project.path(file), fs::Permissions::from_mode(mode)).unwrap();
}

/// A project whose `server` is to be made, with `file` elsewhere and a link in its place.
fn linked(file: &str) -> Project {
    let project = Project::issued(SERVER);
    fs::rename(project.path(file), project.path("elsewhere")).unwrap();
    symlink("../elsewhere", project.path(file)).unwrap();
    project
}

#[test]
fn nothing_is_written_through_a_link() {
    let project = linked("pki/server.key");
    let before = project.read("pki/server.crt");
    assert_snapshot!(project.run("issue --force").exits(2), @r"
    --- stderr
    error: pki/server.key is a symbolic link, where a file belongs
    hint: nothing is written through a link; move it away: `mv pki/server.key pki/server.link`
    --- exit 2
    ");
    assert_eq!(project.read("pki/server.crt"), before);
    // What is only read may be one.
    project.run("issue").ok();

    let project = linked("pki/issued.jsonl");
    let before = project.read("elsewhere");
    let ran = project.run("issue --force").exits(2);
    assert!(
        ran.stderr.contains("issued.jsonl is a symbolic link"),
        "{ran}"
    );
    assert_eq!(project.read("elsewhere"), before);

    let project = linked("pki/.grpc-pki");
    let ran = project.run("issue --force").exits(2);
    assert!(
        ran.stderr
            .contains(".grpc-pki is a symbolic link, where a folder"),
        "{ran}"
    );
}

#[test]
fn a_link_that_leads_nowhere_is_no_missing_file() {
    let project = Project::with_ca(SERVER);
    symlink("nowhere", project.path("pki/server.crt")).unwrap();
    let ran = project.run("issue").exits(2);
    assert!(
        ran.stderr.contains("server.crt is a symbolic link"),
        "{ran}"
    );
    assert!(!project.path("pki/server.key").exists());
    project.remove("pki/server.crt");
    project.run("issue").ok();
}

#[test]
fn the_folder_that_was_named_may_be_a_link() {
    let project = Project::new(SERVER);
    fs::create_dir(project.path("volume")).unwrap();
    symlink("volume", project.path("pki")).unwrap();
    project.run("init").ok();
    assert!(project.path("volume/ca.key").exists());
    let project = Project::new(SERVER);
    symlink("nowhere", project.path("pki")).unwrap();
    let ran = project.run("init").exits(2);
    assert!(
        ran.stderr
            .contains("pki is a symbolic link, where a folder belongs"),
        "{ran}"
    );
}

#[test]
fn a_folder_in_which_others_could_replace_keys() {
    let project = Project::issued(SERVER);
    mode(&project, "pki", 0o777);
    assert_snapshot!(project.run("issue --force").exits(2), @r"
    --- stderr
    error: pki may be written by everyone (mode 0777), who could replace keys in it
    hint: `chmod o-w pki`
    --- exit 2
    ");
    mode(&project, "pki", 0o775);
    project.run("issue --force").ok();
}

#[test]
fn a_folder_of_another_user() {
    if !is_root() {
        // Only root can give a folder away; who is not cannot write to another's either, which is told elsewhere.
        return;
    }
    let project = Project::issued(SERVER);
    chown(project.path("pki"), Some(4711), None).unwrap();
    assert_snapshot!(project.run("issue --force").exits(2), @r"
    --- stderr
    error: pki belongs to another user (uid 4711), who could replace keys in it
    hint: run it as that user (`sudo -u '#4711' grpc-pki …`), or make the folder your own: `chown 0 pki`
    --- exit 2
    ");
    project.run("issue --check").ok();
    chown(project.path("pki"), Some(0), None).unwrap();
    project.run("issue --force").ok();
}

#[test]
fn a_mode_that_is_tighter_stays_and_a_looser_one_does_not() {
    let project = Project::issued(SERVER);
    for (file, before, after) in [
        ("pki/server.key", 0o400, 0o400),
        ("pki/server.key", 0o600, 0o600),
        ("pki/server.key", 0o640, 0o600),
        ("pki/server.key", 0o666, 0o600),
        ("pki/server.crt", 0o600, 0o600),
        ("pki/server.crt", 0o640, 0o640),
        ("pki/server.crt", 0o666, 0o644),
    ] {
        mode(&project, file, before);
        project.run("issue --force").ok();
        let found = fs::metadata(project.path(file)).unwrap().mode() & 0o7777;
        assert_eq!(found, after, "{file} {before:o}: {found:o}");
    }
}

#[test]
fn an_owner_keeps_the_files() {
    if !is_root() {
        return;
    }
    let project = Project::issued(SERVER);
    for file in ["pki/server.key", "pki/server.crt"] {
        chown(project.path(file), Some(4711), Some(4712)).unwrap();
    }
    let before = project.read("pki/server.crt");
    project.run("issue --force").ok();
    assert_ne!(project.read("pki/server.crt"), before);
    for file in ["pki/server.key", "pki/server.crt"] {
        let found = fs::metadata(project.path(file)).unwrap();
        assert_eq!((found.uid(), found.gid()), (4711, 4712), "{file}");
    }
    let ca = fs::metadata(project.path("pki/ca.key")).unwrap();
    assert_eq!(ca.uid(), 0);
}

#[test]
fn an_open_key_is_closed_and_told_though_the_rest_is_refused() {
    let project = linked("pki/issued.jsonl");
    mode(&project, "pki/ca.key", 0o640);
    let ran = project.run("issue --force").exits(2);
    assert_snapshot!(ran, @r"
    --- stderr
    warning: others than its owner could read pki/ca.key (mode 0640), which is mended; make a new CA if others have had a look
    error: pki/issued.jsonl is a symbolic link, where a file belongs
    hint: nothing is written through a link; move it away: `mv pki/issued.jsonl pki/issued.link`
    --- exit 2
    ");
    assert!(project.tree().contains("pki/ca.key 0600"));
}

#[test]
fn an_open_key_is_closed_and_told_though_nothing_else_is_to_do() {
    let project = Project::issued(SERVER);
    mode(&project, "pki/server.key", 0o640);
    assert_snapshot!(project.run("issue --check").ok().stderr, @"warning: others than its owner can read pki/server.key: chmod 600 pki/server.key");
    assert!(project.tree().contains("pki/server.key 0640"));
    assert_snapshot!(project.run("issue").ok(), @r"
    nothing to do: 1 certificate is current, it expires in 365 days
    --- stderr
    warning: others than its owner could read pki/server.key (mode 0640), which is mended; if others have had a look, `grpc-pki issue server --force` makes a new one
    --- exit 0
    ");
    assert!(project.tree().contains("pki/server.key 0600"));
    assert_eq!(project.run("issue").ok().stderr, "");
}
