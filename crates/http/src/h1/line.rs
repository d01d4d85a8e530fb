//! Lines: how one ends, and how one that is not all there yet is waited for without looking at its bytes again and again.
//!
//! A line is parsed from left to right and a fault is raised as soon as it is certain, which depends on the bytes alone and not on
//! how they were split.

use crate::{Rejection, Rule};

/// Why the parse of a line stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes ran out.
    More,
    /// A rule is broken at this offset from the start of the line.
    Broken(Rule, usize),
}

/// Expects the CRLF that ends a line at `at` and returns the offset behind it; any other byte there breaks `rule`.
#[inline]
pub(super) fn end(line: &[u8], at: usize, rule: Rule) -> Result<usize, Stop> {
    match line.get(at..) {
        Some([b'\r', b'\n', ..]) => Ok(at + 2),
        _ => Err(fault(line, at, rule)),
    }
}

/// What is wrong with the byte at `at`, which `rule` does not allow: a line end of the wrong kind is named before `rule`. Where
/// `rule` does allow CRLF there, a CR without more bytes is [`Stop::More`] too.
#[cold]
pub(super) fn fault(line: &[u8], at: usize, rule: Rule) -> Stop {
    match line.get(at..) {
        None | Some([] | [b'\r']) => Stop::More,
        Some([b'\n', ..]) => Stop::Broken(Rule::BareLf, at),
        Some([b'\r', next, ..]) if *next != b'\n' => Stop::Broken(Rule::BareCr, at),
        Some(_) => Stop::Broken(rule, at),
    }
}

/// How long the line in hand and all lines together may be, and which rules say so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// Bytes of a line without its CRLF.
    pub(super) line: u32,
    pub(super) line_rule: Rule,
    /// Bytes of all lines with their CRLFs.
    pub(super) section: u32,
    pub(super) section_rule: Rule,
}

/// How far an unfinished line was scanned, so that only new bytes are scanned next time. All 0 for a new line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scanned {
    /// Where the line's first token ends, if its delimiter was seen.
    pub(super) token_end: usize,
    /// Where the request-target ends, if its delimiter was seen.
    pub(super) target_end: usize,
    /// INVARIANT: the bytes before this offset belong to the parts they are in.
    pub(super) clean: usize,
}

/// Where the line in hand starts, and how far it was scanned.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineInHand {
    /// Offset of the line in the input.
    start: usize,
    pub(super) scanned: Scanned,
}

impl LineInHand {
    pub(super) const fn new() -> Self {
        LineInHand { start: 0, scanned: Scanned { token_end: 0, target_end: 0, clean: 0 } }
    }

    #[inline(always)]
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Whether some of the line was scanned before.
    #[inline(always)]
    pub(super) fn is_begun(&self) -> bool {
        self.scanned.clean > 0
    }

    /// The bytes of the line (and behind it), as far as they are there and `bound` lets them count.
    #[inline(always)]
    pub(super) fn window<'a>(&self, input: &'a [u8], bound: &Bound) -> &'a [u8] {
        input.get(self.start..self.window_end(bound).min(input.len())).unwrap_or(&[])
    }

    /// A line that fits has its CRLF before this offset.
    #[inline(always)]
    fn window_end(&self, bound: &Bound) -> usize {
        (self.start + bound.line as usize + 2).min(bound.section as usize)
    }

    #[inline(always)]
    pub(super) fn advance(&mut self, len: usize) {
        *self = LineInHand { start: self.start + len, scanned: Scanned::default() };
    }

    /// Deals with a line that stopped: `Ok` if more bytes can still make it right.
    #[cold]
    pub(super) fn wait(&self, stop: Stop, input: &[u8], bound: &Bound) -> Result<(), Rejection> {
        match stop {
            Stop::Broken(rule, at) => Err(Rejection::new(rule, (self.start + at) as u32)),
            Stop::More if input.len() >= self.window_end(bound) => Err(self.overrun(bound)),
            Stop::More => Ok(()),
        }
    }

    fn overrun(&self, bound: &Bound) -> Rejection {
        let line_limit = self.start + bound.line as usize;
        if line_limit + 2 <= bound.section as usize {
            Rejection::new(bound.line_rule, line_limit as u32)
        } else {
            Rejection::new(bound.section_rule, bound.section)
        }
    }
}
