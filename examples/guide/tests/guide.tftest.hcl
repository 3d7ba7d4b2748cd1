# terraform test: the guide against a mocked provider. No tenant, no gateway and no credentials are needed.

mock_provider "mailflow" {}

variables {
  domain                    = "example.com"
  mx_moved                  = false
  delivery_host             = "example-com.mail.protection.outlook.com"
  gateway_inbound_addresses = ["203.0.113.10", "203.0.113.0/28"]
  gateway_outbound_hosts    = ["203.0.113.20"]
  test_recipient            = "postmaster@example.net"
  relay_secret              = "Example2Secret"
}

run "before_the_mx_records_move_no_mail_is_refused" {
  command = plan

  assert {
    condition     = mailflow_exchange_inbound_connector.from_gateway.restrict_domains_to_ip_addresses == false
    error_message = "The connector refuses mail that still comes directly."
  }
  assert {
    condition     = length(mailflow_exchange_transport_rule.bypass_spam) == 1
    error_message = "Cisco's guide bypasses the second filtering by a rule."
  }
}

run "afterwards_the_tenant_takes_mail_from_the_gateways_only" {
  command = plan

  variables {
    mx_moved  = true
    filtering = "enhanced"
  }

  assert {
    condition     = mailflow_exchange_inbound_connector.from_gateway.restrict_domains_to_ip_addresses
    error_message = "The connector does not refuse direct mail."
  }
  assert {
    condition     = mailflow_exchange_inbound_connector.from_gateway.ef_skip_last_ip && length(mailflow_exchange_transport_rule.bypass_spam) == 0
    error_message = "Enhanced Filtering and the bypass rule do not go together."
  }
}

run "the_group_is_guarded_by_the_filter" {
  command = plan

  assert {
    condition     = mailflow_gateway_sender_group.relay_o365.guarded_by == mailflow_gateway_message_filter.office365_outbound.name
    error_message = "The sender group has no guard."
  }
}

run "a_short_secret_is_refused" {
  command = plan

  variables {
    relay_secret = "short"
  }

  expect_failures = [var.relay_secret]
}

run "a_secret_that_is_a_pattern_is_refused" {
  command = plan

  variables {
    other_relay_secrets = ["anything.*"]
  }

  expect_failures = [var.other_relay_secrets]
}

run "addresses_that_exchange_online_does_not_take_are_refused" {
  command = plan

  variables {
    gateway_inbound_addresses = ["2001:db8::1", "203.0.0.0/16"]
  }

  expect_failures = [var.gateway_inbound_addresses]
}

run "a_domain_is_one_name" {
  command = plan

  variables {
    domain = "someone@example.com"
  }

  expect_failures = [var.domain]
}
