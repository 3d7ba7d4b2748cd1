//! The provider from outside: the real binary, the real `terraform` and both stand-ins; and its engines against the stand-ins, without
//! Terraform.
//!
//! One program, so that it is linked once. A module or a test runs by its name: `cargo test --test blackbox order::`.

#[path = "../../src/dns/testing.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support_plugin/mod.rs"]
mod support_plugin;

mod agent;
mod as_found;
mod blocks;
mod brownfield;
mod by_hand;
mod campaign;
mod created;
mod created_online;
mod cutover;
mod data_sources;
mod dkim;
mod doctor;
mod exchange;
mod export;
mod faults;
mod filters;
mod gates;
mod gateway_batch;
mod gateway_unmanaged;
mod guide;
mod host;
mod imports;
mod lag;
mod lifecycle;
mod listener_defaults;
mod logins;
mod names;
mod order;
mod pages;
mod places;
mod plugin_lists;
mod plugin_service;
mod properties;
mod real_tenants;
mod relay;
mod relay_journal;
mod release_files;
mod releases;
mod rest;
mod sandbox_folder;
mod scale;
mod scale_export;
mod suites;
mod takeover;
mod terraform_releases;
mod tls_versions;
mod trace;
mod unmanaged;
mod verify;
