//! Exports as files, with conditions and without addresses.

use serde_json::Value;

use super::{done, scanned, upload};
use crate::harness::Cluster;

struct File {
    status: u16,
    content_type: String,
    disposition: String,
    bytes: Vec<u8>,
}

impl File {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    fn lines(&self) -> usize {
        self.text().lines().filter(|line| !line.starts_with('#')).count()
    }
}

async fn export(cluster: &Cluster, id: &str, query: &str) -> File {
    let url = format!("{}/api/captures/{id}/export?{query}", cluster.api.base);
    let answer = cluster.api.client.get(url).send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (content_type, disposition) = (header("content-type"), header("content-disposition"));
    let status = answer.status().as_u16();
    File { status, content_type, disposition, bytes: answer.bytes().await.unwrap().to_vec() }
}

#[tokio::test]
async fn every_format_is_a_file_of_its_kind() {
    let cluster = Cluster::with_workers(1).await;
    let id = upload(&cluster, "scan.pcap", scanned()).await;
    done(&cluster, &id).await;
    let csv = export(&cluster, &id, "format=csv&what=windows").await;
    assert_eq!((csv.status, csv.content_type.as_str()), (200, "text/csv; charset=utf-8"));
    assert_eq!(csv.disposition, format!("attachment; filename=\"capture-{id}-windows.csv\""));
    assert_eq!(csv.lines(), 7);
    let jsonl = export(&cluster, &id, "format=jsonl&what=connections").await;
    assert_eq!(jsonl.lines(), 100);
    assert!(jsonl.text().lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["state"].is_string()));
    let parquet = export(&cluster, &id, "format=parquet&what=connections").await;
    assert!(parquet.bytes.starts_with(b"PAR1") && parquet.bytes.ends_with(b"PAR1"));
    let zeek = export(&cluster, &id, "format=zeek").await;
    assert!(zeek.text().starts_with("#separator") && zeek.disposition.contains("conn.log"));
    assert_eq!(zeek.lines(), 100);
    for query in ["format=influx&what=windows", "format=eve&what=anomalies", "format=zeek&what=anomalies"] {
        let file = export(&cluster, &id, query).await;
        assert!(file.status == 200 && file.lines() >= 1, "{query}");
    }
    assert_eq!(export(&cluster, &id, "format=zeek&what=windows").await.status, 400);
    assert_eq!(export(&cluster, &id, "format=pdf").await.status, 400);
    assert_eq!(export(&cluster, "none", "format=csv").await.status, 404);
}

#[tokio::test]
async fn conditions_and_anonymisation() {
    let cluster = Cluster::with_workers(1).await;
    let id = upload(&cluster, "scan.pcap", scanned()).await;
    done(&cluster, &id).await;
    let of_scanner = export(&cluster, &id, "format=jsonl&what=connections&host=203.0.113.0/24").await;
    assert_eq!(of_scanner.lines(), 40);
    let scans = export(&cluster, &id, "format=jsonl&what=windows&type=port_scan&from=2023-11-14T22:13:20Z").await;
    assert!((1..=3).contains(&scans.lines()), "{}", scans.text());
    let early = export(&cluster, &id, "format=jsonl&what=windows&to=1700000020").await;
    assert_eq!(early.lines(), 2);
    assert_eq!(export(&cluster, &id, "format=jsonl&from=never").await.status, 400);
    for what in ["windows", "anomalies", "connections"] {
        let hidden = export(&cluster, &id, &format!("format=jsonl&what={what}&anonymise=true")).await;
        assert_eq!(hidden.status, 200);
        let text = hidden.text();
        let real = ["192.0.2.1", "198.51.100.", "203.0.113."].iter().any(|start| text.contains(start));
        assert!(!real && hidden.lines() >= 1, "{what}: {text}");
        // The same mapping every time.
        assert_eq!(text, export(&cluster, &id, &format!("format=jsonl&what={what}&anonymise=true")).await.text());
    }
}
