//! The constant part of an `OpenRTB` device: model, screen and structured user agent.

use trafficlab_shared::model::content::DeviceType;

use super::json::Object;
use crate::traffic::tables::Device;

use crate::traffic::tables::Browser;

/// `UserAgent.source`: high-entropy client hints, or parsed from the header.
const HINTS: u64 = 2;
const PARSED: u64 = 3;

/// The members of `device` that do not change from one entry to the next, without braces.
pub(crate) fn device_members(device: &Device, os_version: &'static str, browser: &Browser, user_agent: &str) -> String {
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    object.text("ua", user_agent);
    structured(&mut object, device, os_version, browser);
    object.whole("devicetype", type_code(device));
    object.text("make", device.make);
    object.text("model", if device.code.is_empty() { device.model } else { device.code });
    object.text("os", device.os);
    object.text("osv", os_version);
    object.whole("h", u64::from(device.height));
    object.whole("w", u64::from(device.width));
    object.whole("ppi", u64::from(device.ppi));
    object.decimal("pxratio", u64::from(device.pixel_ratio), 2);
    object.whole("js", u64::from(!matches!(device.class, DeviceType::Dooh)));
    object.end();
    let text = String::from_utf8(out).unwrap_or_default();
    text.trim_start_matches('{').trim_end_matches('}').to_owned()
}

fn structured(object: &mut Object<'_>, device: &Device, os_version: &'static str, browser: &Browser) {
    let version = browser.version_on(os_version);
    let chromium = matches!(browser.family, "chrome" | "edge" | "opera" | "samsung" | "webview");
    let brand = match browser.family {
        "chrome" => "Google Chrome",
        "edge" => "Microsoft Edge",
        _ => browser.name,
    };
    let mut sua = object.object("sua");
    let mut list = sua.array("browsers");
    if chromium {
        brand_version(&mut list.object(), "Chromium", browser.engine_on(os_version));
    }
    brand_version(&mut list.object(), brand, version);
    list.end();
    let mut platform = sua.object("platform");
    brand_version_in(&mut platform, device.os, os_version);
    platform.end();
    sua.whole("mobile", u64::from(device.class == DeviceType::Mobile));
    if device.class == DeviceType::Desktop {
        sua.text("architecture", if device.make == "Apple" { "arm" } else { "x86" });
        sua.text("bitness", "64");
    } else if !device.code.is_empty() {
        sua.text("model", device.code);
    }
    sua.whole("source", if chromium { HINTS } else { PARSED });
    sua.end();
}

fn brand_version(object: &mut Object<'_>, brand: &str, version: &str) {
    brand_version_in(object, brand, version);
    object.close();
}

fn brand_version_in(object: &mut Object<'_>, brand: &str, version: &str) {
    object.text("brand", brand);
    let mut parts = object.array("version");
    for part in version.split('.') {
        parts.text(part);
    }
    parts.end();
}

/// `Device.devicetype` of `AdCOM` 1.0.
const fn type_code(device: &Device) -> u64 {
    match device.class {
        DeviceType::Mobile => 4,
        DeviceType::Desktop => 2,
        DeviceType::Tablet => 5,
        DeviceType::Ctv => 3,
        DeviceType::Dooh => 8,
    }
}
