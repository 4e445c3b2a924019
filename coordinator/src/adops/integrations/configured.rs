//! The credentials of the configuration, which serve the one tenant that `platforms.tenant` names.

use trafficlab_shared::config::{Config, Secret};

use super::service::Service;
use crate::adops::ids::TenantId;

/// A section of the configuration, looked at field by field.
pub(super) struct Section<'a> {
    pub(super) base_url: &'a str,
    values: Vec<(&'static str, Option<&'a str>)>,
}

impl<'a> Section<'a> {
    pub(super) fn value(&self, field: &str) -> Option<&'a str> {
        self.values.iter().find(|(name, _)| *name == field).and_then(|(_, value)| *value)
    }
}

/// Whether the configuration holds anything of a service for a tenant.
pub(super) fn serves(config: &Config, tenant: TenantId, service: Service) -> bool {
    let named = config.platforms.tenant != 0 && config.platforms.tenant == tenant.get();
    named && section(config, service).values.iter().any(|(_, value)| value.is_some())
}

/// The section of a service.
pub(super) fn section(config: &Config, service: Service) -> Section<'_> {
    let platforms = &config.platforms;
    match service {
        Service::Google => {
            let of = &platforms.google;
            let values = vec![
                ("customer_id", open(&of.customer_id)),
                ("developer_token", secret(&of.developer_token)),
                ("access_token", secret(&of.access_token)),
                ("conversion_action", open(&of.conversion_action)),
            ];
            Section { base_url: &of.base_url, values }
        }
        Service::Linkedin => {
            let of = &platforms.linkedin;
            let values = vec![("conversion_id", open(&of.conversion_id)), ("access_token", secret(&of.access_token))];
            Section { base_url: &of.base_url, values }
        }
        Service::Meta => {
            let of = &platforms.meta;
            let values = vec![
                ("pixel_id", open(&of.pixel_id)),
                ("access_token", secret(&of.access_token)),
                ("account_id", open(&of.account_id)),
            ];
            Section { base_url: &of.base_url, values }
        }
        Service::Snapchat => {
            let of = &platforms.snapchat;
            let values = vec![("pixel_id", open(&of.pixel_id)), ("access_token", secret(&of.access_token))];
            Section { base_url: &of.base_url, values }
        }
        Service::Tiktok => {
            let of = &platforms.tiktok;
            let values = vec![("pixel_code", open(&of.pixel_code)), ("access_token", secret(&of.access_token))];
            Section { base_url: &of.base_url, values }
        }
        Service::Whatsapp => {
            let of = &config.whatsapp;
            let values = vec![
                ("phone_number_id", open(&of.phone_number_id)),
                ("access_token", secret(&of.access_token)),
                ("app_secret", secret(&of.app_secret)),
                ("verify_token", secret(&of.verify_token)),
            ];
            Section { base_url: &of.base_url, values }
        }
    }
}

fn open(value: &Option<String>) -> Option<&str> {
    value.as_deref()
}

fn secret(value: &Option<Secret>) -> Option<&str> {
    value.as_ref().map(Secret::expose)
}
