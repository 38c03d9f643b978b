//! Tables for people.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands between two columns.
const GAP: &str = "  ";
/// The most places that a cell takes, however much room there is: `json` shows everything.
const MAX_WIDTH: usize = 200;
/// To fewer places no column is cut.
const MIN_WIDTH: usize = 8;
/// So many rows are laid out together: it bounds what is held.
const CHUNK: usize = 500;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    title: &'static str,
    is_number: bool,
    is_long: bool,
}

impl Column {
    /// Of short words or times.
    pub(super) const fn new(title: &'static str) -> Self {
        Self { title, is_number: false, is_long: false }
    }

    /// Of numbers: they stand at its right.
    pub(super) const fn number(title: &'static str) -> Self {
        Self { title, is_number: true, is_long: false }
    }

    /// Of texts of any length: they are cut where there is no room.
    pub(super) const fn long(title: &'static str) -> Self {
        Self { title, is_number: false, is_long: true }
    }
}

/// A table that is made chunk by chunk, so that it may be of any length.
pub(super) struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
    /// The places of a line; nothing where there is no bound.
    room: Option<usize>,
    has_begun: bool,
}

impl Table {
    pub(super) fn new(columns: &'static [Column], room: Option<usize>) -> Self {
        let widths = columns.iter().map(|column| column.title.width()).collect();
        Self { columns, rows: Vec::new(), widths, room, has_begun: false }
    }

    /// Adds a row; answers what is to be printed now.
    pub(super) fn push(&mut self, cells: Vec<String>) -> Option<String> {
        self.rows.push(cells.into_iter().map(|cell| cut(&printable(&cell), MAX_WIDTH)).collect());
        (self.rows.len() >= CHUNK).then(|| self.rest())
    }

    /// Whether there is nothing that is not printed yet.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that are not printed yet, behind the titles where these are not either.
    pub(super) fn rest(&mut self) -> String {
        for row in &self.rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let widths = self.fitting_widths();
        let mut text = String::new();
        if !self.has_begun {
            self.has_begun = true;
            let titles: Vec<String> = self.columns.iter().map(|column| column.title.to_owned()).collect();
            self.line(&titles, &widths, &mut text);
        }
        for row in &self.rows {
            self.line(row, &widths, &mut text);
        }
        self.rows.clear();
        text
    }

    /// The widths, with long columns made narrower until a line has room, the widest first.
    fn fitting_widths(&self) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let Some(room) = self.room else { return widths };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > room {
            let long = widths
                .iter_mut()
                .zip(self.columns)
                .filter(|(width, column)| column.is_long && **width > MIN_WIDTH);
            let Some((widest, _)) = long.max_by_key(|(width, _)| **width) else { break };
            *widest -= 1;
        }
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize], text: &mut String) {
        let last = cells.len().saturating_sub(1);
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let cell = cut(cell, *width);
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            let is_number = self.columns.get(at).is_some_and(|column| column.is_number);
            match (is_number, at == last) {
                (true, _) => text.extend([padding.as_str(), &cell]),
                (false, true) => text.push_str(&cell),
                (false, false) => text.extend([cell.as_str(), &padding]),
            }
            if at != last {
                text.push_str(GAP);
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
}

/// One thing, a field a line.
pub(super) fn of_fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
    let line = |(name, value): &(&str, String)| {
        let line = format!("{name:<width$}{GAP}{}", printable(value));
        format!("{}\n", line.trim_end())
    };
    fields.iter().map(line).collect()
}

/// Text that moves no cursor, hides nothing and takes one line: what others have stored must not be able to write
/// over what stands beside it.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_reordering(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether it makes what follows it stand elsewhere, or ends a line.
pub(super) fn is_reordering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{61c}')
}

/// As much of the text as has room, with `…` where something is left out.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or_default();
        taken < width
    };
    let mut shown: String = text.chars().take_while(fits).collect();
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::new("NAME"), Column::number("SIZE"), Column::long("VALUE")];

    fn table(room: Option<usize>, rows: &[[&str; 3]]) -> String {
        let mut table = Table::new(COLUMNS, room);
        for row in rows {
            assert_eq!(table.push(row.map(str::to_owned).to_vec()), None);
        }
        table.rest()
    }

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let shown = table(None, &[["a", "1", "x"], ["abcdefg", "1000", "y z"]]);
        assert_eq!(shown, "NAME     SIZE  VALUE\na           1  x\nabcdefg  1000  y z\n");
    }

    #[test]
    fn wide_letters_take_two_places_and_marks_none() {
        let shown = table(None, &[["日本語", "1", "x"], ["e\u{301}", "2", "y"]]);
        assert_eq!(shown, "NAME    SIZE  VALUE\n日本語     1  x\ne\u{301}          2  y\n");
        let ends =
            shown.lines().map(|line| line.strip_suffix(['x', 'y']).unwrap_or("")).map(UnicodeWidthStr::width);
        assert_eq!(ends.collect::<Vec<_>>(), [0, 14, 14]);
    }

    #[test]
    fn what_has_no_room_is_cut_and_only_that() {
        let shown = table(Some(24), &[["abcdefgh", "1", "a text that is too long"]]);
        assert_eq!(shown, "NAME      SIZE  VALUE\nabcdefgh     1  a text …\n");
        let wide = table(Some(20), &[["a", "1", "日本語日本語日本語"]]);
        assert_eq!(wide, "NAME  SIZE  VALUE\na        1  日本語…\n");
    }

    #[test]
    fn a_line_stays_a_line_and_moves_nothing() {
        let shown = table(None, &[["a\nb", "1", "\u{1b}[2J\u{202e}x\u{7}"]]);
        assert_eq!(shown.lines().nth(1), Some("a\\nb     1  \\u{1b}[2J\\u{202e}x\\u{7}"));
    }

    #[test]
    fn a_long_table_is_made_in_chunks_under_one_title() {
        let mut table = Table::new(COLUMNS, None);
        let mut shown = String::new();
        for n in 0..1201 {
            shown.extend(table.push(vec![n.to_string(), String::new(), String::new()]));
            assert!(table.rows.len() < CHUNK);
        }
        shown.push_str(&table.rest());
        assert_eq!(shown.lines().count(), 1202);
        assert_eq!(shown.matches("NAME").count(), 1);
    }

    #[test]
    fn no_line_ends_in_blanks() {
        assert_eq!(table(None, &[["a", "1", ""]]), "NAME  SIZE  VALUE\na        1\n");
    }

    #[test]
    fn an_empty_table_is_its_titles() {
        assert_eq!(table(None, &[]), "NAME  SIZE  VALUE\n");
    }

    #[test]
    fn fields_stand_below_each_other() {
        let fields = [("key", "a\tb".to_owned()), ("revision", "5".to_owned()), ("email", String::new())];
        assert_eq!(of_fields(&fields), "key       a\\tb\nrevision  5\nemail\n");
    }
}
