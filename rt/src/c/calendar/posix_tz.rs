//! Time zones written as rules, `CET-1CEST,M3.5.0,M10.5.0/3`: POSIX's TZ (XBD 8.3), as TZif files end with (RFC 9636, 3.3.1).

use super::date::{Date, days_of, is_leap};

/// A zone as rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules<'a> {
    pub(super) standard: Part<'a>,
    /// Daylight saving time, from the first moment to the second in each year.
    pub(super) daylight: Option<(Part<'a>, Moment, Moment)>,
}

/// A name and an offset, in seconds east of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: &'a [u8],
    pub(super) offset: i32,
}

/// A moment in each year, by the clock that goes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    day: Day,
    /// Seconds after midnight, -167 to 167 hours.
    time: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// `Jn`: 1 to 365, February 29th never counted.
    Julian(i64),
    /// `n`: 0 to 365.
    Ordinal(i64),
    /// `Mm.w.d`: a day of the week, in the first to fourth week of a month, or the last.
    Month { month: i64, week: i64, day: i64 },
}

struct Parser<'a>(&'a [u8]);

impl<'a> Parser<'a> {
    fn take(&mut self, wanted: u8) -> bool {
        match self.0.split_first() {
            Some((&first, rest)) if first == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Three letters or more, or anything in angle brackets.
    fn name(&mut self) -> Option<&'a [u8]> {
        let bracketed = self.take(b'<');
        let inner = |b: &u8| match bracketed {
            true => b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-'),
            false => b.is_ascii_alphabetic(),
        };
        let length = self.0.iter().take_while(|b| inner(b)).count();
        let (name, rest) = self.0.split_at(length);
        self.0 = rest;
        (length >= 3 && (!bracketed || self.take(b'>'))).then_some(name)
    }

    fn number(&mut self, limits: core::ops::RangeInclusive<i64>) -> Option<i64> {
        let length = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(length);
        let number = core::str::from_utf8(digits).ok()?.parse().ok()?;
        self.0 = rest;
        limits.contains(&number).then_some(number)
    }

    /// `[+-]hh[:mm[:ss]]`, in seconds.
    fn time(&mut self, hours: i64) -> Option<i32> {
        let negative = self.take(b'-');
        if !negative {
            self.take(b'+');
        }
        let mut seconds = self.number(0..=hours)? * 3600;
        if self.take(b':') {
            seconds += self.number(0..=59)? * 60;
            if self.take(b':') {
                seconds += self.number(0..=59)?;
            }
        }
        Some(if negative { -seconds } else { seconds } as i32)
    }

    fn moment(&mut self) -> Option<Moment> {
        let day = if self.take(b'J') {
            Day::Julian(self.number(1..=365)?)
        } else if self.take(b'M') {
            let month = self.number(1..=12)? - 1;
            let week = self.take(b'.').then(|| self.number(1..=5))??;
            let day = self.take(b'.').then(|| self.number(0..=6))??;
            Day::Month { month, week, day }
        } else {
            Day::Ordinal(self.number(0..=365)?)
        };
        let time = if self.take(b'/') {
            self.time(167)?
        } else {
            7200
        };
        Some(Moment { day, time })
    }

    fn rules(&mut self) -> Option<Rules<'a>> {
        let name = self.name()?;
        // West is positive here.
        let standard = Part {
            name,
            offset: -self.time(24)?,
        };
        if self.0.is_empty() {
            return Some(Rules {
                standard,
                daylight: None,
            });
        }
        let name = self.name()?;
        let offset = match self.0.first() {
            None | Some(b',') => standard.offset + 3600,
            Some(_) => -self.time(24)?,
        };
        // Without rules those of the United States hold, as in other C libraries.
        let (start, end) = match self.0 {
            [] => (Parser(b"M3.2.0").moment()?, Parser(b"M11.1.0").moment()?),
            _ => (
                self.take(b',').then(|| self.moment())??,
                self.take(b',').then(|| self.moment())??,
            ),
        };
        Some(Rules {
            standard,
            daylight: Some((Part { name, offset }, start, end)),
        })
    }
}

impl Moment {
    /// When it comes in a year, in seconds since 1970 of the clock that goes before it.
    fn in_year(&self, year: i64) -> i64 {
        let first = days_of(year, 0, 1);
        let day = match self.day {
            Day::Julian(n) => first + n - 1 + i64::from(is_leap(year) && n >= 60),
            Day::Ordinal(n) => first + n,
            Day::Month { month, week, day } => {
                let start = days_of(year, month, 1);
                let next = if month == 11 {
                    days_of(year + 1, 0, 1)
                } else {
                    days_of(year, month + 1, 1)
                };
                // 1970-01-01 was a Thursday.
                let to_first = (day - (start + 4)).rem_euclid(7);
                let mut at = start + to_first + (week - 1) * 7;
                // The fifth is the last, which may be the fourth.
                if at >= next {
                    at -= 7;
                }
                at
            }
        };
        day * 86_400 + i64::from(self.time)
    }
}

impl<'a> Rules<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let mut parser = Parser(text);
        let rules = parser.rules()?;
        parser.0.is_empty().then_some(rules)
    }

    /// What holds at a moment, and whether it is daylight saving time.
    pub(super) fn at(&self, moment: i64) -> (Part<'a>, bool) {
        let Some((daylight, start, end)) = self.daylight else {
            return (self.standard, false);
        };
        let local = moment.saturating_add(self.standard.offset.into());
        let Some(date) = Date::from_seconds(local) else {
            return (self.standard, false);
        };
        let year = i64::from(date.year) + 1900;
        let start = start.in_year(year) - i64::from(self.standard.offset);
        let end = end.in_year(year) - i64::from(daylight.offset);
        let is_daylight = match start < end {
            true => (start..end).contains(&moment),
            // South of the equator the year begins and ends in it.
            false => !(end..start).contains(&moment),
        };
        (
            if is_daylight { daylight } else { self.standard },
            is_daylight,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: &str, moment: i64) -> (String, i32, bool) {
        let rules = Rules::parse(zone.as_bytes()).expect("a zone");
        let (part, daylight) = rules.at(moment);
        (
            String::from_utf8_lossy(part.name).into_owned(),
            part.offset,
            daylight,
        )
    }

    #[test]
    fn zones() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        // 2024-03-31 01:00 UTC and 2024-10-27 01:00 UTC.
        assert_eq!(at(berlin, 1_711_846_799), ("CET".into(), 3600, false));
        assert_eq!(at(berlin, 1_711_846_800), ("CEST".into(), 7200, true));
        assert_eq!(at(berlin, 1_729_990_799), ("CEST".into(), 7200, true));
        assert_eq!(at(berlin, 1_729_990_800), ("CET".into(), 3600, false));
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        assert_eq!(at(sydney, 1_704_067_200), ("AEDT".into(), 39_600, true));
        assert_eq!(at(sydney, 1_719_792_000), ("AEST".into(), 36_000, false));
        assert_eq!(at("<+0530>-5:30", 0), ("+0530".into(), 19_800, false));
        assert_eq!(at("EST5EDT", 1_720_000_000), ("EDT".into(), -14_400, true));
        // Daylight saving time all year (RFC 9636, 3.3.1).
        assert_eq!(
            at("EST5EDT,0/0,J365/25", 1_704_067_200),
            ("EDT".into(), -14_400, true)
        );
    }

    #[test]
    fn what_is_no_zone() {
        for bad in [
            "",
            "AB1",
            "ABC",
            "ABC25",
            "<AB",
            "<AB>1",
            "ABC1DEF,",
            "ABC1DEF,M13.1.0,M1.1.0",
            "ABC1DEF,M1.1.0",
            "ABC1x",
            "ABC1DEF,J0,J1",
            "Area/City",
        ] {
            assert_eq!(Rules::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
