//! HTTP-date, RFC 9110 section 5.6.7: one format is written, three are read. Time is seconds since 1970-01-01T00:00:00Z; there is
//! no clock here.

const DAY_NAMES: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const LONG_DAY_NAMES: [&[u8]; 7] =
    [b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday", b"Sunday"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const SECONDS_PER_DAY: u64 = 86_400;

/// Writes an IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`. Years past 9999 do not fit; they read as 9999.
///
/// ```text
/// IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT
/// ```
pub fn write_imf_fixdate(unix_seconds: u64, out: &mut [u8; 29]) {
    /// 9999-12-31T23:59:59Z
    const LAST: u64 = 253_402_300_799;
    let seconds = unix_seconds.min(LAST);
    let days = seconds / SECONDS_PER_DAY;
    let time = seconds % SECONDS_PER_DAY;
    let (year, month, day) = civil_date(days);
    out.copy_from_slice(b"Day, 00 Mon 0000 00:00:00 GMT");
    // 1970-01-01 was a Thursday.
    out[..3].copy_from_slice(DAY_NAMES[(days as usize + 3) % 7]);
    put_two_digits(&mut out[5..7], day);
    out[8..11].copy_from_slice(MONTHS[month as usize - 1]);
    put_two_digits(&mut out[12..14], year / 100);
    put_two_digits(&mut out[14..16], year % 100);
    put_two_digits(&mut out[17..19], (time / 3600) as u32);
    put_two_digits(&mut out[20..22], (time / 60 % 60) as u32);
    put_two_digits(&mut out[23..25], (time % 60) as u32);
}

/// Reads an HTTP-date in any of its three formats. `now` is the present in the same unit: a two-digit year that seems more than 50
/// years in the future lies in the past. `None` for anything else, for a day that does not exist and for years before 1970.
#[must_use]
pub fn parse_http_date(text: &[u8], now: u64) -> Option<u64> {
    imf_fixdate(text).or_else(|| rfc850_date(text, now)).or_else(|| asctime_date(text))
}

// IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT
// date1       = day SP month SP year
fn imf_fixdate(text: &[u8]) -> Option<u64> {
    let mut rest = Rest(text);
    rest.one_of(&DAY_NAMES.map(|name| name.as_slice()))?;
    rest.literal(b", ")?;
    let day = rest.digits(2)?;
    rest.literal(b" ")?;
    let month = rest.month()?;
    rest.literal(b" ")?;
    let year = rest.digits(4)?;
    rest.literal(b" ")?;
    let time = rest.time_of_day()?;
    rest.literal(b" GMT")?;
    rest.end(year, month, day, time)
}

// rfc850-date = day-name-l "," SP date2 SP time-of-day SP GMT
// date2       = day "-" month "-" 2DIGIT
fn rfc850_date(text: &[u8], now: u64) -> Option<u64> {
    let mut rest = Rest(text);
    rest.one_of(&LONG_DAY_NAMES)?;
    rest.literal(b", ")?;
    let day = rest.digits(2)?;
    rest.literal(b"-")?;
    let month = rest.month()?;
    rest.literal(b"-")?;
    let short_year = rest.digits(2)?;
    rest.literal(b" ")?;
    let time = rest.time_of_day()?;
    rest.literal(b" GMT")?;
    let (this_year, ..) = civil_date(now / SECONDS_PER_DAY);
    let same_century = this_year - this_year % 100 + short_year;
    let year = if same_century > this_year + 50 { same_century - 100 } else { same_century };
    rest.end(year, month, day, time)
}

// asctime-date = day-name SP date3 SP time-of-day SP year
// date3        = month SP ( 2DIGIT / ( SP 1DIGIT ))
fn asctime_date(text: &[u8]) -> Option<u64> {
    let mut rest = Rest(text);
    rest.one_of(&DAY_NAMES.map(|name| name.as_slice()))?;
    rest.literal(b" ")?;
    let month = rest.month()?;
    rest.literal(b" ")?;
    let day = if rest.literal(b" ").is_some() { rest.digits(1)? } else { rest.digits(2)? };
    rest.literal(b" ")?;
    let time = rest.time_of_day()?;
    rest.literal(b" ")?;
    let year = rest.digits(4)?;
    rest.end(year, month, day, time)
}

/// What is left of the text to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn literal(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn one_of(&mut self, names: &[&[u8]]) -> Option<usize> {
        names.iter().position(|name| self.literal(name).is_some())
    }

    fn month(&mut self) -> Option<u32> {
        self.one_of(&MONTHS.map(|name| name.as_slice())).map(|index| index as u32 + 1)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
    }

    // time-of-day = hour ":" minute ":" second ; 00:00:00 - 23:59:60 (leap second)
    fn time_of_day(&mut self) -> Option<u64> {
        let hour = self.digits(2)?;
        self.literal(b":")?;
        let minute = self.digits(2)?;
        self.literal(b":")?;
        let second = self.digits(2)?;
        let is_time = hour <= 23 && minute <= 59 && second <= 60;
        is_time.then(|| u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second))
    }

    /// The instant, if nothing is left.
    fn end(&self, year: u32, month: u32, day: u32, time: u64) -> Option<u64> {
        if !self.0.is_empty() || year < 1970 || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        Some(days_since_epoch(year, month, day) * SECONDS_PER_DAY + time)
    }
}

fn is_leap_year(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days between 0000-03-01 and 1970-01-01, in the proleptic Gregorian calendar. Years are counted from March here, so that the
/// leap day is a year's last.
const EPOCH_FROM_MARCH_OF_YEAR_0: u64 = 719_468;
/// Days in 400 years.
const DAYS_PER_ERA: u64 = 146_097;

fn days_since_epoch(year: u32, month: u32, day: u32) -> u64 {
    let march_year = u64::from(if month <= 2 { year - 1 } else { year });
    let march_month = u64::from((month + 9) % 12);
    // Month lengths from March on repeat 31, 30, 31, 30, 31: 153 days in five months.
    let day_of_year = (153 * march_month + 2) / 5 + u64::from(day) - 1;
    march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year - EPOCH_FROM_MARCH_OF_YEAR_0
}

/// Year, month (1 to 12) and day of a day since the epoch.
fn civil_date(days: u64) -> (u32, u32, u32) {
    let from_march = days + EPOCH_FROM_MARCH_OF_YEAR_0;
    let era = from_march / DAYS_PER_ERA;
    let day_of_era = from_march % DAYS_PER_ERA;
    // Takes the leap days out: one in 1461 days, none in 36524, one in 146097.
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (u32::try_from(year).unwrap_or(u32::MAX - 150), month as u32, day as u32)
}

fn put_two_digits(out: &mut [u8], value: u32) {
    out[0] = b'0' + (value / 10 % 10) as u8;
    out[1] = b'0' + (value % 10) as u8;
}

#[cfg(test)]
mod tests;
