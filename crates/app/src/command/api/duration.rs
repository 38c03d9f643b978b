//! Lengths of time on the command line: `90`, `15m`, `12h`, `30d`.

use std::time::Duration;

/// Reads seconds, or a number with `s`, `m`, `h` or `d` behind it; more than nothing.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    const FORM: &str =
        "must be a number of seconds, or a number with s, m, h or d behind it, like 90, 15m or 30d";
    let (digits, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) => (digits, &text[digits.len()..]),
        None => (text, "s"),
    };
    let seconds_of_unit = match unit {
        "d" => 86_400,
        "h" => 3600,
        "m" => 60,
        _ => 1,
    };
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|number| is_plain && *number > 0).ok_or(FORM)?;
    number.checked_mul(seconds_of_unit).map(Duration::from_secs).ok_or_else(|| FORM.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_seconds_unless_a_unit_follows() {
        let seconds = |text: &str| parse(text).unwrap().as_secs();
        assert_eq!(["90", "90s", "15m", "12h", "30d"].map(seconds), [90, 90, 900, 43_200, 2_592_000]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "0", "-1", "+1", "1.5h", "h", "1w", "1 h", "99999999999999999999", "18446744073709551615d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
