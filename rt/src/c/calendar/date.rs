//! The Gregorian calendar, without time zones. Days are counted from 1970-01-01; the year is thought to begin in March,
//! so that leap days come last.

/// A date with C's conventions: months from 0, years from 1900.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: i32,
    pub(super) day: i32,
    pub(super) hour: i32,
    pub(super) minute: i32,
    pub(super) second: i32,
    pub(super) week_day: i32,
    pub(super) year_day: i32,
}

/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Days from March 1st of year 0 to 1970-01-01.
const TO_1970: i64 = 719_468;

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The day of a date; the month is 0 to 11 and the year counts from 0. `day` counts from 1 and may be anything.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 10) % 12;
    // Five months from March on, twice and more, have 153 days.
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - TO_1970
}

/// Seconds since 1970 of a date with C's conventions, whose fields may be out of their ranges; `None` beyond 64 bits.
pub(super) fn to_seconds(
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
) -> Option<i64> {
    let year = year.checked_add(1900)?.checked_add(month.div_euclid(12))?;
    let days = days_of(year, month.rem_euclid(12), 1).checked_add(day - 1)?;
    days.checked_mul(86_400)?
        .checked_add(hour.checked_mul(3600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)
}

impl Date {
    /// The date of a moment; `None` if C cannot hold its year.
    pub(super) fn from_seconds(seconds: i64) -> Option<Date> {
        let (days, rest) = (
            seconds.div_euclid(86_400),
            seconds.rem_euclid(86_400) as i32,
        );
        let from_march = days.checked_add(TO_1970)?;
        let era = from_march.div_euclid(ERA);
        let day_of_era = from_march.rem_euclid(ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = (month_from_march + 2) % 12;
        let year = era * 400 + year_of_era + i64::from(month < 2);
        Some(Date {
            year: i32::try_from(year - 1900).ok()?,
            month: month as i32,
            day: (day_of_year - (153 * month_from_march + 2) / 5 + 1) as i32,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            // 1970-01-01 was a Thursday.
            week_day: (days + 4).rem_euclid(7) as i32,
            year_day: (days - days_of(year, 0, 1)) as i32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_each_others_inverse() {
        let mut day = days_of(-5000, 0, 1);
        let mut week_day = (day + 4).rem_euclid(7);
        for year in -5000..5000i64 {
            let mut year_day = 0;
            let february = if is_leap(year) { 29 } else { 28 };
            for (month, length) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
                .into_iter()
                .enumerate()
            {
                for of_month in 1..=length {
                    let date = Date::from_seconds(day * 86_400 + 3661).expect("in range");
                    let wanted = Date {
                        year: (year - 1900) as i32,
                        month: month as i32,
                        day: of_month,
                        hour: 1,
                        minute: 1,
                        second: 1,
                        week_day: week_day as i32,
                        year_day,
                    };
                    assert_eq!(date, wanted);
                    assert_eq!(days_of(year, month as i64, of_month.into()), day);
                    day += 1;
                    year_day += 1;
                    week_day = (week_day + 1) % 7;
                }
            }
        }
    }

    #[test]
    fn ends_of_time() {
        assert_eq!(Date::from_seconds(i64::MAX), None);
        assert_eq!(Date::from_seconds(i64::MIN), None);
        let last = to_seconds(i32::MAX.into(), 11, 31, 23, 59, 59).expect("in range");
        assert_eq!(Date::from_seconds(last).map(|d| d.year), Some(i32::MAX));
        assert_eq!(Date::from_seconds(last + 1), None);
        assert_eq!(
            to_seconds(70, 24, 0, 0, 0, 0),
            to_seconds(71, 11, 31, 0, 0, 0)
        );
    }
}
