//! Thirty-two bytes looked at together: the answer is a bit for each, the first byte lowest.
//!
//! On x86-64 by SSE2, which every processor of that architecture has, so that nothing is detected at run time; elsewhere byte by byte,
//! in a form that compilers turn into vector code. The tests hold the two against each other and against the classes of [`grammar`].
//!
//! [`grammar`]: crate::grammar

/// The bytes.
pub(crate) type Window = [u8; 32];

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
pub(crate) use portable::{controls, equal, outside_target, same, same_in_half};
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(crate) use x86_64::{controls, equal, outside_target, same, same_in_half};

/// With SSE2. Functions that use instructions which are not in every build may be called only where they are: by the condition on this
/// module, they are in all of this build. Safe code for words of eight bytes was tried first, and stayed behind httparse on the
/// smaller two requests of `benches/parse.rs`.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[allow(unsafe_code)]
mod x86_64 {
    use core::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_set1_epi8,
    };

    use super::Window;

    /// Bytes below 0x20, and DEL.
    #[inline(always)]
    pub(crate) fn controls(window: &Window) -> u32 {
        // SAFETY: SSE2 is there; see the module.
        unsafe { each(window, |half| _mm_or_si128(at_most(half, 0x1f), equals(half, 0x7f))) }
    }

    /// Bytes of this value.
    #[inline(always)]
    pub(crate) fn equal(window: &Window, wanted: u8) -> u32 {
        // SAFETY: as above.
        unsafe { each(window, |half| equals(half, wanted)) }
    }

    /// As [`same`], of the first 16 bytes.
    #[inline(always)]
    pub(crate) fn same_in_half(window: &Window, known: &Window, ignored: &Window) -> u32 {
        // SAFETY: as above.
        unsafe {
            let sent = _mm_or_si128(halves(window)[0], halves(ignored)[0]);
            _mm_movemask_epi8(_mm_cmpeq_epi8(sent, halves(known)[0])) as u32
        }
    }

    /// Bytes that cannot stand in a request-target.
    #[inline(always)]
    pub(crate) fn outside_target(window: &Window) -> u32 {
        // SAFETY: as above.
        unsafe {
            each(window, |half| {
                // As signed numbers, the bytes above 0x7f are below 0x21, too.
                let low_or_high = _mm_cmplt_epi8(half, _mm_set1_epi8(0x21));
                let quote_or_hash = equals(_mm_and_si128(half, _mm_set1_epi8(!0x01)), b'"');
                let angle = equals(_mm_and_si128(half, _mm_set1_epi8(!0x02)), b'<');
                _mm_or_si128(_mm_or_si128(low_or_high, equals(half, 0x7f)), _mm_or_si128(quote_or_hash, angle))
            })
        }
    }

    /// Bytes that are the same as `known` once the bits in `ignored` are set in them.
    #[inline(always)]
    pub(crate) fn same(window: &Window, known: &Window, ignored: &Window) -> u32 {
        // SAFETY: as above.
        unsafe {
            let [first, second] = halves(window);
            let ([known_first, known_second], [ignored_first, ignored_second]) = (halves(known), halves(ignored));
            let first = _mm_cmpeq_epi8(_mm_or_si128(first, ignored_first), known_first);
            let second = _mm_cmpeq_epi8(_mm_or_si128(second, ignored_second), known_second);
            bits(first, second)
        }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn each(window: &Window, look: impl Fn(__m128i) -> __m128i) -> u32 {
        let [first, second] = halves(window);
        bits(look(first), look(second))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn halves(window: &Window) -> [__m128i; 2] {
        let [first, second] = window.as_chunks::<16>().0 else { unreachable!("32 bytes are twice 16") };
        // SAFETY: both are 16 bytes; they need not be aligned.
        unsafe { [_mm_loadu_si128(first.as_ptr().cast()), _mm_loadu_si128(second.as_ptr().cast())] }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn bits(first: __m128i, second: __m128i) -> u32 {
        _mm_movemask_epi8(first) as u32 | (_mm_movemask_epi8(second) as u32) << 16
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn equals(half: __m128i, wanted: u8) -> __m128i {
        _mm_cmpeq_epi8(half, _mm_set1_epi8(wanted as i8))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn at_most(half: __m128i, bound: u8) -> __m128i {
        _mm_cmpeq_epi8(_mm_min_epu8(half, _mm_set1_epi8(bound as i8)), half)
    }
}

/// For every other processor.
#[cfg_attr(all(target_arch = "x86_64", target_feature = "sse2"), allow(dead_code))]
mod portable {
    use super::Window;
    use crate::grammar::TARGET;

    pub(crate) fn controls(window: &Window) -> u32 {
        bits(|at| window[at].is_ascii_control())
    }

    pub(crate) fn equal(window: &Window, wanted: u8) -> u32 {
        bits(|at| window[at] == wanted)
    }

    pub(crate) fn same_in_half(window: &Window, known: &Window, ignored: &Window) -> u32 {
        same(window, known, ignored) & 0xffff
    }

    pub(crate) fn outside_target(window: &Window) -> u32 {
        bits(|at| !TARGET.has(window[at]))
    }

    pub(crate) fn same(window: &Window, known: &Window, ignored: &Window) -> u32 {
        bits(|at| window[at] | ignored[at] == known[at])
    }

    fn bits(is_marked: impl Fn(usize) -> bool) -> u32 {
        (0..32).fold(0, |bits, at| bits | u32::from(is_marked(at)) << at)
    }
}

#[cfg(test)]
mod tests;
