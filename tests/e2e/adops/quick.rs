//! The first commands of the README's part about ad operations, as they stand there.

use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::ads;

const ADDRESS: &str = "127.0.0.1:8080";

/// The first block of commands below a heading of the README.
fn block(heading: &str) -> Vec<String> {
    let readme = include_str!("../../../README.md");
    let (_, below) = readme.split_once(heading).expect("the README has the heading");
    let (_, commands) = below.split_once("```sh\n").expect("commands follow");
    let (commands, _) = commands.split_once("```").expect("they end");
    commands.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn five_commands_lead_from_registering_to_key_figures() {
    let cluster = ads().start().await;
    let address = cluster.api.base.trim_start_matches("http://");
    let lines = block("\n## Ad operations\n");
    assert!(lines.iter().any(|line| line.contains(ADDRESS)), "{lines:?}");
    let commands = lines.iter().filter(|line| line.contains("curl")).count();
    assert_eq!((commands, lines.len()), (5, 6), "five commands, and where the server is: {lines:?}");
    // Answers are one line each and end without a line break.
    let script: String = lines.iter().map(|line| format!("{}\necho\n", line.replace(ADDRESS, address))).collect();
    let run = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().await.unwrap();
    let output = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{output}{}", String::from_utf8_lossy(&run.stderr));
    let answers: Vec<Value> =
        output.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 4, "all but the first show their answer: {output}");
    assert!(answers.iter().all(|answer| answer["success"] == true), "{output}");
    assert_eq!(answers[0]["data"]["name"], "Summer Sale");
    assert_eq!(answers[1]["data"]["inserted"], 2);
    assert_eq!((&answers[2]["data"][0]["total_spend"], &answers[2]["data"][0]["roas"]), (&json!(255.5), &json!(3.15)));
    let figures = &answers[3]["data"];
    assert_eq!((&figures["total_spend"], &figures["total_revenue"]), (&json!(255.5), &json!(805.0)));
    assert_eq!((&figures["avg_roas"], &figures["total_conversions"]), (&json!(3.1507), &json!(15)));
}
