//! Every problem: where it may come, it comes, and its page is served.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::harness::Api;
use super::openapi::Operation;
use super::provocations::{IMPATIENT, NOT_FROM_OUTSIDE, OF_NO_OPERATION, SMALL_LIMITS, provoke};
use super::snapshot::snapshot;
use super::world::World;

/// Every code of the list at `/problems`, with its status.
async fn listed(api: &Api) -> BTreeSet<(u16, String)> {
    let page = api.anyone().get("/problems").send().await.expect(200).text();
    let lines = page.lines().filter_map(|line| line.strip_prefix("<li>"));
    let codes = lines.map(|line| {
        let (status, rest) = line.split_once(" <a href=\"/problems/").unwrap();
        (status.parse().unwrap(), rest.split('"').next().unwrap().to_owned())
    });
    codes.collect()
}

#[tokio::test]
async fn every_problem_of_every_operation_comes_as_documented() {
    let world = World::make_with(&SMALL_LIMITS).await;
    // On its own: where a body may take but a second, any request may be too late on a busy machine.
    let impatient = World::make_with(&IMPATIENT).await;
    let expired = world.expired().await;
    let before = snapshot(&world.api).await;
    let operations = Operation::all();
    let documented = operations.iter().flat_map(|operation| {
        let codes = operation.problems().into_iter().filter(|(_, code)| !NOT_FROM_OUTSIDE.contains(code));
        codes.map(move |(status, code)| (operation, status, code))
    });
    let provoked = documented.map(async |(operation, status, code)| {
        let world = if code == "request-timeout" { &impatient } else { &world };
        let answer = provoke(world, &expired, operation, code).await;
        assert_eq!(answer.status, status, "{code} of {} {}: {answer:?}", operation.method, operation.path);
        answer.problem(status, code);
    });
    assert!(join_all(provoked).await.len() > 200);
    let mut after = snapshot(&world.api).await;
    // But for the keys that were made to be refused.
    let keys = before["contents"][0]["keys"].as_array().unwrap().len();
    after["contents"][0]["keys"].as_array_mut().unwrap().truncate(keys);
    assert_eq!(after, before, "something has changed");
}

#[tokio::test]
async fn every_problem_belongs_to_an_operation_or_to_any_path() {
    let api = Api::start();
    let documented: BTreeSet<(u16, String)> = Operation::all()
        .iter()
        .flat_map(Operation::problems)
        .map(|(status, code)| (status, code.to_owned()))
        .collect();
    let mut expected = listed(&api).await;
    expected.retain(|(_, code)| !OF_NO_OPERATION.contains(&code.as_str()));
    assert_eq!(documented, expected);
    for code in NOT_FROM_OUTSIDE {
        assert!(expected.iter().any(|(_, listed)| listed == code), "{code} is out of date");
    }
}

#[tokio::test]
async fn the_type_of_every_problem_is_a_page_that_is_served() {
    let api = Api::start();
    for (status, code) in listed(&api).await {
        let page = api.anyone().get(&format!("/problems/{code}")).send().await.expect(200);
        let text = page.text();
        assert!(text.contains(&format!("status {status}")), "{text}");
        assert!(text.contains(&format!("<code>{code}</code>")), "{text}");
        assert!(text.contains("<h1>") && text.contains("lang=\"en\""), "{text}");
    }
}

#[tokio::test]
async fn the_title_of_a_problem_is_that_of_its_page() {
    let api = Api::start();
    let problem = api.anyone().get("/api/v1/kv").send().await.problem(401, "key-missing");
    let page = api.anyone().get("/problems/key-missing").send().await.expect(200).text();
    assert!(page.contains(&format!("<h1>{}</h1>", problem["title"].as_str().unwrap())), "{page}");
}
