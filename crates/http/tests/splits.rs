//! However the bytes are split, the server sees the same requests, refuses by the same rule, and at the same byte.

mod connection;

use brickwork_http::Limits;
use connection::{TIGHT, fixtures, made_up, read};
use proptest::prelude::*;

#[test]
fn a_fixture_is_the_same_byte_by_byte_and_at_every_single_cut() {
    for (name, bytes) in fixtures("accept").into_iter().chain(fixtures("reject")) {
        for limits in [Limits::default(), TIGHT] {
            let whole = read(&bytes, &[], &limits);
            let all: Vec<usize> = (1..bytes.len()).collect();
            assert_eq!(read(&bytes, &all, &limits), whole, "{name} byte by byte");
            // Fixtures that break a limit are long and dull in the middle.
            for cut in (1..bytes.len()).filter(|&cut| cut < 400 || cut + 100 > bytes.len()) {
                assert_eq!(read(&bytes, &[cut], &limits), whole, "{name} cut at {cut}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_any_bytes_is_the_same(
        bytes in made_up(),
        cuts in prop::collection::btree_set(0..400usize, 0..12),
        is_tight in any::<bool>(),
    ) {
        let limits = if is_tight { TIGHT } else { Limits::default() };
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let whole = read(&bytes, &[], &limits);
        prop_assert_eq!(&read(&bytes, &cuts, &limits), &whole);
        let all: Vec<usize> = (1..bytes.len()).collect();
        prop_assert_eq!(&read(&bytes, &all, &limits), &whole);
    }
}
