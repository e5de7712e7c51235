//! The little of DER (X.690) that signing needs: to write a value, and to step over values that are there.

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const IA5_STRING: u8 = 0x16;

/// Appends one value: identifier octet, definite length, content.
pub(crate) fn write(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let skip = octets.iter().take_while(|octet| **octet == 0).count();
        out.push(0x80 | (octets.len() - skip) as u8);
        out.extend_from_slice(&octets[skip..]);
    }
    out.extend_from_slice(content);
}

/// One value on its own.
pub(crate) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    write(&mut out, tag, content);
    out
}

/// A value found in a buffer: `whole` is identifier, length and content.
#[derive(Clone, Copy)]
pub(crate) struct Tlv<'a> {
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Splits the first value off `input`; `None` where it is not well formed or not definite.
pub(crate) fn take(input: &[u8]) -> Option<(Tlv<'_>, &[u8])> {
    let first = usize::from(*input.get(1)?);
    let (header, length) = if first < 0x80 {
        (2, first)
    } else {
        let count = first & 0x7f;
        if count == 0 || count > 4 {
            return None;
        }
        let octets = input.get(2..2 + count)?;
        (
            2 + count,
            octets
                .iter()
                .fold(0usize, |sum, octet| sum << 8 | usize::from(*octet)),
        )
    };
    let end = header.checked_add(length)?;
    let whole = input.get(..end)?;
    Some((
        Tlv {
            content: &whole[header..],
            whole,
        },
        &input[end..],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_at_every_length_form() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let mut written = value(SEQUENCE, &content);
            written.push(9);
            let (tlv, rest) = take(&written).unwrap();
            assert_eq!((tlv.content, rest), (content.as_slice(), [9].as_slice()));
        }
    }

    #[test]
    fn what_is_cut_short_or_indefinite_is_refused() {
        for input in [
            &[][..],
            &[0x30],
            &[0x30, 2, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
        ] {
            assert!(take(input).is_none(), "{input:02x?}");
        }
    }
}
