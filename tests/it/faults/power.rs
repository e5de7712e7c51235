//! Power that fails: what is not flushed may be lost, or kept without what came before it. So each step of a change
//! is on the disk before the next one relies on it.

use super::calls::Call;

const WORK: &str = "project/pki/.grpc-pki";
const STAGE: &str = "project/pki/.grpc-pki/stage";
const DRAFT: &str = "project/pki/.grpc-pki/commit.tmp";
const RECORD: &str = "project/pki/.grpc-pki/commit.json";
const LOG: &str = "project/pki/issued.jsonl";
const FOLDER: &str = "project/pki";

/// What of a change is begun too early, by the calls of a run in their order.
pub fn too_early(calls: &[Call]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expect = |is_so: bool, what: &str| {
        if !is_so {
            problems.push(format!("{what} before it is on the disk"));
        }
    };
    let first = |is_it: &dyn Fn(&Call) -> bool| calls.iter().position(is_it).expect("a change");
    let last = |is_it: &dyn Fn(&Call) -> bool| calls.iter().rposition(is_it).expect("a change");
    let made = first(&|it| it.name.starts_with("mkdir") && it.path == STAGE);
    let staged = |it: &Call| it.name == "openat" && it.path.starts_with(&format!("{STAGE}/"));
    let committed = first(&|it| it.name.starts_with("rename") && it.path == DRAFT);
    let placed = |it: &Call| it.name.starts_with("rename") && it.path.starts_with(STAGE);
    let logged = last(&|it| it.name == "write" && it.path == LOG);
    let dropped = first(&|it| it.name.starts_with("unlink") && it.path == RECORD);
    // With the stage, the end of the last record.
    let begun = is_flushed(calls, WORK, made, first(&staged));
    expect(begun, "the first file is staged in a new stage");
    for (index, file) in calls.iter().enumerate().filter(|(_, it)| staged(it)) {
        let whole = is_flushed(calls, &file.path, index, committed);
        expect(whole, &format!("the record counts on {}", file.path));
    }
    let listed = is_flushed(calls, STAGE, last(&staged), committed);
    expect(listed, "the record counts on the names in the stage");
    let written = first(&|it| it.name == "write" && it.path == DRAFT);
    let recorded = is_flushed(calls, DRAFT, written, committed);
    expect(recorded, "the record counts");
    let counts = is_flushed(calls, WORK, committed, first(&placed));
    expect(counts, "the first file is put into place by the record");
    let named = is_flushed(calls, FOLDER, last(&placed), dropped);
    expect(named, "the record is dropped for what is in place");
    let listed = is_flushed(calls, LOG, logged, dropped);
    expect(listed, "the record is dropped for the list");
    problems
}

/// Whether what was done to a file is flushed between two calls, alone or with the whole file system.
fn is_flushed(calls: &[Call], path: &str, after: usize, before: usize) -> bool {
    let between = calls.get(after..before).unwrap_or_default();
    between.iter().any(|it| match it.name.as_str() {
        "fsync" => it.path == path,
        "syncfs" => true,
        _ => false,
    })
}

/// The same after each of its flushes was left out: those whose absence is not seen.
pub fn unseen(calls: &[Call]) -> Vec<String> {
    let flushes = calls.iter().enumerate().filter(|(_, it)| {
        let matters = it.path.starts_with(WORK) || it.path == LOG || it.path == FOLDER;
        matters && ["fsync", "syncfs"].contains(&it.name.as_str())
    });
    let without = |index: usize| {
        let mut fewer = calls.to_vec();
        fewer.remove(index);
        fewer
    };
    flushes
        .filter(|(index, _)| too_early(&without(*index)).is_empty())
        .map(|(_, it)| format!("{} {} is not needed", it.name, it.path))
        .collect()
}
