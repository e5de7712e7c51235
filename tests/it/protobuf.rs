//! The protobuf code is checked in, so that a build needs no protobuf compiler. Here it is
//! generated anew and compared.
//!
//! `UPDATE_GENERATED=1 cargo test --test it protobuf` writes it instead, after a change of
//! `whoami.proto`.

use std::fs;
use std::path::Path;

use prost::Message;

const UPDATE: &str = "UPDATE_GENERATED";

#[test]
fn generated_code_is_current() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sample");
    let fresh = tempfile::tempdir().unwrap();
    generate(&sample, fresh.path());

    let generated = sample.join("generated");
    if std::env::var_os(UPDATE).is_some() {
        for name in names(fresh.path()) {
            fs::copy(fresh.path().join(&name), generated.join(&name)).unwrap();
        }
    }

    assert_eq!(names(&generated), names(fresh.path()), "{}", advice());
    for name in names(&generated) {
        let (committed, fresh) = (generated.join(&name), fresh.path().join(&name));
        let same = fs::read(committed).unwrap() == fs::read(fresh).unwrap();
        assert!(
            same,
            "{name} is not what whoami.proto generates; {}",
            advice()
        );
    }
}

#[test]
fn a_changed_proto_generates_other_code() {
    let changed = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sample");
    let proto = fs::read_to_string(sample.join("whoami.proto")).unwrap();
    let proto = proto.replace("string peer_address = 10;", "string peer_address = 11;");
    fs::write(changed.path().join("whoami.proto"), proto).unwrap();

    let fresh = tempfile::tempdir().unwrap();
    generate(changed.path(), fresh.path());
    for name in names(fresh.path()) {
        let committed = fs::read(sample.join("generated").join(&name)).unwrap();
        assert_ne!(
            committed,
            fs::read(fresh.path().join(&name)).unwrap(),
            "{name}"
        );
    }
}

/// Writes the code and the file descriptor set of `whoami.proto` in `source` to `out`.
fn generate(source: &Path, out: &Path) {
    let descriptors = protox::compile(["whoami.proto"], [source]).unwrap();
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .out_dir(out)
        .compile_fds(descriptors.clone())
        .unwrap();

    // Reflection needs no comments and no line numbers.
    let mut bare = descriptors;
    for file in &mut bare.file {
        file.source_code_info = None;
    }
    fs::write(out.join("whoami.bin"), bare.encode_to_vec()).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn advice() -> String {
    format!("run `{UPDATE}=1 cargo test --test it protobuf` and commit src/sample/generated")
}
