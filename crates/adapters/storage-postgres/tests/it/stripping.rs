//! Takes the tenant's condition out of a statement, in each of the forms in which the adapter writes it.

const COLUMN: &str = "tenant_number";
const USING: &str = "USING (tenant_number, ";

/// How a condition was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// `tenant_number = 7`
    Number,
    /// `tenant_number = $1`
    Parameter,
    /// `"events"."tenant_number" = $1`, as Diesel writes it.
    Quoted,
    /// `v.tenant_number = p.tenant_number`
    Join,
    /// `USING (tenant_number, id)`
    Using,
}

/// A statement without the conditions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stripped {
    pub(crate) text: String,
    pub(crate) taken: Vec<Form>,
    /// Whether the column is still compared with anything, in a form that is not known here.
    pub(crate) is_rest: bool,
}

/// Takes them out, but for those on `tenants` in Diesel's form: the registry's, which is no tenant's. Parameters stay
/// in their places.
pub(crate) fn strip(statement: &str) -> Stripped {
    let mut taken = vec![Form::Using; statement.matches(USING).count()];
    let statement = statement.replace(USING, "USING (");
    let (mut text, mut rest, mut is_rest) = (String::new(), &statement[..], false);
    while let Some(at) = rest.find(COLUMN) {
        let start = rest[..at].trim_end_matches(is_of_name).len();
        let behind = &rest[at + COLUMN.len()..];
        let end = behind.strip_prefix('"').unwrap_or(behind);
        let (qualifier, operand) =
            (&rest[start..at], end.trim_start().strip_prefix('=').map(str::trim_start));
        let operand =
            operand.map(|operand| &operand[..operand.len() - operand.trim_start_matches(is_of_name).len()]);
        let is_column = qualifier.is_empty() || qualifier.ends_with(['.', '"']);
        let is_registry =
            qualifier == "\"tenants\".\"" || operand.is_some_and(|to| to.starts_with("\"tenants\"."));
        let form = operand.and_then(|operand| form(qualifier, operand));
        text.push_str(&rest[..start]);
        match (form, operand) {
            (Some(form), Some(operand)) if is_column && !is_registry => {
                match form {
                    Form::Parameter | Form::Quoted => text.push_str(&format!("{operand} IS NOT NULL")),
                    _ => text.push_str("true"),
                }
                taken.push(form);
                rest = &end[end.find(operand).unwrap_or_default() + operand.len()..];
            }
            _ => {
                is_rest |= is_column && !is_registry && is_compared(&rest[..start], end);
                text.push_str(&rest[start..rest.len() - end.len()]);
                rest = end;
            }
        }
    }
    text.push_str(rest);
    Stripped { text, taken, is_rest }
}

fn form(qualifier: &str, operand: &str) -> Option<Form> {
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match operand.strip_prefix('$') {
        Some(number) if !are_digits(number) => None,
        Some(_) if qualifier.ends_with('"') => Some(Form::Quoted),
        Some(_) => Some(Form::Parameter),
        None if are_digits(operand) => Some(Form::Number),
        None => operand.trim_end_matches('"').ends_with(COLUMN).then_some(Form::Join),
    }
}

/// Whether a comparison stands before or behind a column.
fn is_compared(before: &str, behind: &str) -> bool {
    let is_sign = |text: Option<char>| text.is_some_and(|c| "=<>!".contains(c));
    let word = behind.split_whitespace().next().unwrap_or_default();
    is_sign(before.trim_end().chars().last())
        || is_sign(behind.trim_start().chars().next())
        || (behind.starts_with(' ') && ["IN", "BETWEEN", "IS", "NOT"].contains(&word))
}

/// What a name, a number or a parameter is made of.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.$\"".contains(c)
}

/// Whether a statement reads or changes rows of that table.
pub(crate) fn touches(statement: &str, table: &str) -> bool {
    let mut before = "";
    for word in statement.split([' ', '(', ')', ',', '\n']).filter(|word| !word.is_empty()) {
        if ["FROM", "JOIN", "UPDATE"].contains(&before) && word.trim_matches('"') == table {
            return true;
        }
        before = word;
    }
    false
}

/// The statement with one sign for each number and each id in it, so that it is the same each time.
pub(crate) fn shape(statement: &str) -> String {
    let mut shape = String::new();
    for (place, part) in statement.split('\'').enumerate() {
        if place % 2 == 1 {
            shape.push_str("''");
            continue;
        }
        for c in part.chars() {
            match c {
                '0'..='9' if shape.ends_with('0') => {}
                '0'..='9' => shape.push('0'),
                other => shape.push(other),
            }
        }
    }
    shape
}

#[test]
fn each_form_is_taken_out_and_parameters_stay() {
    for (statement, expected, form) in [
        ("FROM p WHERE tenant_number = 12 AND id = 1", "FROM p WHERE true AND id = 1", Form::Number),
        (
            "(SELECT 1 FROM p AS x WHERE x.tenant_number = 12)",
            "(SELECT 1 FROM p AS x WHERE true)",
            Form::Number,
        ),
        ("j.tenant_number = $1 AND a = $2", "$1 IS NOT NULL AND a = $2", Form::Parameter),
        (r#"("k"."tenant_number" = $1) AND"#, "($1 IS NOT NULL) AND", Form::Quoted),
        ("ON v.tenant_number = p.tenant_number AND v.id = p.id", "ON true AND v.id = p.id", Form::Join),
        ("JOIN c USING (tenant_number, staging, id)", "JOIN c USING (staging, id)", Form::Using),
    ] {
        let stripped = strip(statement);
        assert_eq!(stripped, Stripped { text: expected.to_owned(), taken: vec![form], is_rest: false });
    }
}

#[test]
fn what_is_no_tenants_condition_stays_and_what_has_another_form_is_noticed() {
    for (statement, is_rest) in [
        (
            "INSERT INTO t (tenant_number, id) VALUES ($1, $2) ON CONFLICT (tenant_number, id) DO NOTHING",
            false,
        ),
        ("SELECT last_value FROM tenants_tenant_number_seq", false),
        (r#"FROM "tenants" WHERE ("tenants"."tenant_number" = $1)"#, false),
        (r#"ON ("c"."tenant_number" = "tenants"."tenant_number")"#, false),
        ("WHERE tenant_number = ANY ($1)", true),
        ("WHERE tenant_number IN (1, 2)", true),
        ("WHERE 7 = p.tenant_number", true),
        (r#"WHERE ("p"."tenant_number" <> $1)"#, true),
    ] {
        let expected = Stripped { text: statement.to_owned(), taken: Vec::new(), is_rest };
        assert_eq!(strip(statement), expected);
    }
}
