//! Who sent and received most, and by which services.

use std::io::{Result, Write};

use trafficlab_shared::model::capture::counts::Talker;

use super::{Paint, Parts, heading};
use crate::generate::figures::{bytes, count, float, ratio, three};

const TALKERS: usize = 5;
const SERVICES: usize = 8;

pub(super) fn write(out: &mut dyn Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    let of = parts.summary;
    if !of.services.is_empty() {
        heading(out, paint, "services")?;
        for service in of.services.iter().take(SERVICES) {
            let share = ratio(float(service.bytes), float(of.wire_bytes)) * 100.0;
            let packets = count(service.packets);
            writeln!(
                out,
                "  {:<24}{:>10}  {:>6} %  {packets:>11} packets",
                service.name,
                bytes(service.bytes),
                three(share)
            )?;
        }
    }
    talkers(out, paint, "top senders", &of.top_src, of.wire_bytes)?;
    talkers(out, paint, "top receivers", &of.top_dst, of.wire_bytes)
}

fn talkers(out: &mut dyn Write, paint: Paint, name: &str, list: &[Talker], all: u64) -> Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    heading(out, paint, name)?;
    list.iter().take(TALKERS).try_for_each(|talker| {
        let share = ratio(float(talker.bytes), float(all)) * 100.0;
        let (volume, packets) = (bytes(talker.bytes), count(talker.packets));
        writeln!(out, "  {:<41}{volume:>10}  {:>6} %  {packets:>11} packets", talker.addr, three(share))
    })
}
