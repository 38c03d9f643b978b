//! `GET /problems/{code}`: what a problem means and what to do about it.

use std::fmt::Write as _;

use actix_web::{HttpResponse, web};

use crate::problem::Problem;
use crate::problem_code::Code;

/// Shows what a problem means and what to do about it.
#[utoipa::path(get, path = "/problems/{code}", tag = "About",
    params(("code" = String, Path, description = "The `code` of a problem.", example = "validation-failed")),
    responses((status = 200, description = "A page for people.", content_type = "text/html", body = String)))]
pub(crate) async fn get_problem(code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let code = Code::parse(&code).ok_or_else(|| Problem::plain(Code::ProblemNotFound))?;
    let text = format!(
        "<h1>{}</h1>\n<p><code>{}</code> · status {}</p>\n<p>{}</p>\n<p><a href=\"/problems\">All problems</a> · <a href=\"/docs\">The API</a></p>",
        code.title(),
        code.as_str(),
        code.status(),
        with_code_spans(code.help()),
    );
    Ok(page(code.title(), &text))
}

/// Lists every problem that this API answers.
#[utoipa::path(get, path = "/problems", tag = "About",
    responses((status = 200, description = "A page for people.", content_type = "text/html", body = String)))]
pub(crate) async fn list_problems() -> HttpResponse {
    let mut text = String::from("<h1>Problems</h1>\n<ul>\n");
    for code in Code::ALL {
        let (code, title, status) = (code.as_str(), code.title(), code.status().as_u16());
        let _ = writeln!(text, "<li>{status} <a href=\"/problems/{code}\">{code}</a>: {title}</li>");
    }
    text.push_str("</ul>");
    page("Problems", &text)
}

/// Writes `…` as code. The texts are ours, and hold no other mark-up.
fn with_code_spans(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        let part = part.replace('<', "&lt;");
        out.push_str(&if at % 2 == 1 { format!("<code>{part}</code>") } else { part });
    }
    out
}

fn page(title: &str, text: &str) -> HttpResponse {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title} · Tenantry</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}</style></head>\n\
         <body>\n{text}\n</body>\n</html>\n"
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(
                code.help().ends_with('.') && code.help().matches('`').count() % 2 == 0,
                "{}",
                code.as_str()
            );
        }
    }

    #[test]
    fn a_page_cannot_be_broken_by_its_text() {
        assert_eq!(with_code_spans("a `<b>` c"), "a <code>&lt;b></code> c");
    }
}
