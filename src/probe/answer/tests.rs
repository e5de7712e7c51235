//! Real answers, broken answers, and octets that are none.

use proptest::prelude::*;

use super::*;

/// What `openssl s_server` with a P-256 key answered to a ClientHello of TLS 1.2: ServerHello, Certificate,
/// ServerKeyExchange, ServerHelloDone, each in a record of its own.
const OLDER: &str = "\
    16030300410200003d030399e4651b7b1766d9a954cb45af69abe57afc903bba4e28c9444f574e4752440100c02c0000\
    15ff01000100000b0004030001020023000000170000160303017c0b0001780001750001723082016e30820113a00302\
    01020214037b3161456ec983367d051cdc5b0c0afb85e218300a06082a8648ce3d040302300c310a300806035504030c\
    0161301e170d3236313132343030333330325a170d3336313132313030333330325a300c310a300806035504030c0161\
    3059301306072a8648ce3d020106082a8648ce3d030107034200042f0c84881d445086f498291a5ecf46cc30d9d296f0\
    2dbcabe6bb3405c4ef6a6c807f6f0020811abb9f1b98e19ec832f8e1ca88ff560965d143c5cfe7f03ebf4ba353305130\
    1d0603551d0e04160414987170c08d216dab5f4f80d61db77ec544a8fb4c301f0603551d23041830168014987170c08d\
    216dab5f4f80d61db77ec544a8fb4c300f0603551d130101ff040530030101ff300a06082a8648ce3d04030203490030\
    46022100cc370da56d95bed194bb7d8e2e61ceff6c7edeb1f71bcb683e6e91d0a2f55a1c022100a95d9705ac9c0176c8\
    1437c444f4b79295a1c069691139e85a530e0bbe81749716030300730c00006f03001d20dbdc2aeb49eb45866238f960\
    8f795a1cd6563f784e16eaa69d7a8d20b5e7ff06040300473045022100eaf62bed11f96fe2805b0ba5cd78584948331d\
    a8d54ed9d3d3c10deb2eae67c102201a85c7593da556bb510c5a74c3b9aea71f779e7208064343e5e38cff461ca54516\
    030300040e000000";
/// The ServerHello of TLS 1.3.
const LATEST: &str = "\
    160303007a0200007603030c5d19840260f70ae6087d948826ae33bd0eafdf45a705b84ea2e42c79743af2201a565ee6\
    53961f5e83655b1f8a0fc6c7b8e90a50269c2c858ea1ab95d6fb7ebb130200002e002b0002030400330024001d0020ab\
    83786dadff60da7d2aa3b9f33eb6652d3216abd512232005ce566eff8e2825";

fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let text = |it| std::str::from_utf8(it).unwrap();
    digits
        .map(|it| u8::from_str_radix(text(it), 16).unwrap())
        .collect()
}

fn whole(octets: &[u8]) -> Answer {
    match read(octets) {
        Reading::Whole(answer) => answer,
        Reading::Part => panic!("only a part"),
    }
}

#[test]
fn before_tls_1_3_all_that_matters_is_in_clear() {
    let answer = whole(&octets(OLDER));
    let hello = answer.hello().unwrap();
    assert_eq!((hello.version, hello.suite), (TLS12, 0xc02c));
    assert_eq!((hello.group, hello.signature), (Some(0x001d), Some(0x0403)));
    let end_entity = hello.end_entity.clone().unwrap();
    assert!(crate::pki::Certificate::from_der(end_entity.into()).is_ok());
    assert!(hello.is_ours());
}

#[test]
fn in_tls_1_3_it_is_the_server_hello_alone() {
    let answer = whole(&octets(LATEST));
    let hello = answer.hello().unwrap();
    assert_eq!((hello.version, hello.suite), (TLS13, 0x1302));
    assert_eq!((hello.group, hello.retry), (Some(0x001d), false));
}

#[test]
fn a_request_for_another_key_names_its_group() {
    let mut hello = octets(LATEST);
    hello[11..43].copy_from_slice(&RETRY);
    let answer = whole(&hello);
    assert!(answer.hello().unwrap().retry);
}

#[test]
fn alerts_count_when_they_are_fatal() {
    assert_eq!(whole(&[21, 3, 3, 0, 2, 2, 40]), Answer::Alert(40));
    let warned = [&[21, 3, 3, 0, 2, 1, 112][..], &octets(OLDER)].concat();
    assert_eq!(whole(&warned).hello().unwrap().version, TLS12);
    let after = [&octets(OLDER)[..70], &[21, 3, 3, 0, 2, 2, 80]].concat();
    assert_eq!(whole(&after).hello().unwrap().suite, 0xc02c);
}

#[test]
fn what_ends_early_is_told_from_what_is_not_tls() {
    assert_eq!(finish(b"", Answer::Reset), Answer::Reset);
    assert_eq!(
        finish(b"HTTP/1.1 400", Answer::Closed),
        Answer::Other(b"HTTP/1.1 400".to_vec())
    );
    let older = octets(OLDER);
    assert_eq!(read(&older[..30]), Reading::Part);
    assert_eq!(
        finish(&older[..30], Answer::Closed),
        Answer::Other(older[..30].to_vec())
    );
    let cut = finish(&older[..100], Answer::Closed);
    assert_eq!(cut.hello().unwrap().end_entity, None);
}

/// Octets of an answer, some of them changed, cut off somewhere.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let answer = prop_oneof![Just(octets(OLDER)), Just(octets(LATEST))];
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let changes = prop::collection::vec(change, 0..8);
    (answer, changes, any::<prop::sample::Index>()).prop_map(|(mut answer, changes, end)| {
        for (at, value) in changes {
            let at = at.index(answer.len());
            answer[at] = value;
        }
        answer.truncate(end.index(answer.len()) + 1);
        answer
    })
}

/// What is whole stays what it is, whatever follows.
fn holds(octets: &[u8]) {
    let mut first = None;
    for end in 0..=octets.len() {
        let part = &octets[..end];
        finish(part, Answer::Closed);
        if let (None, Reading::Whole(answer)) = (&first, read(part)) {
            first = Some(answer);
        }
    }
    if let Some(Answer::Hello(hello)) = first {
        assert_eq!(read(octets), Reading::Whole(Answer::Hello(hello)));
    }
}

proptest! {
    #[test]
    fn no_octets_are_too_odd(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        holds(&octets);
    }

    #[test]
    fn no_broken_answer_is_too_odd(octets in mutated()) {
        holds(&octets);
    }

    #[test]
    fn no_framed_octets_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        holds(&[&[22, 3, 3][..], &length, &body].concat());
        holds(&[&[22, 3, 3][..], &length, &[2, 0, 0], &body].concat());
    }
}
