# Step 1: mail that comes from the gateways has been filtered; do not filter it again. Not together with Enhanced Filtering.
resource "mailflow_exchange_transport_rule" "bypass_spam" {
  count = var.filtering == "bypass" ? 1 : 0

  name = "Bypass spam filtering - Inbound email from Cisco CES"
  mode = "Enforce"
  conditions {
    sender_ip_ranges = var.gateway_inbound_addresses
  }
  actions {
    set_scl = -1
  }
}

# Step 2: take mail from the gateways only, and only over TLS. Mail that comes another way is refused once the MX records are moved.
resource "mailflow_exchange_inbound_connector" "from_gateway" {
  name                             = "Inbound from Cisco CES"
  connector_type                   = "Partner"
  sender_domains                   = ["*"]
  sender_ip_addresses              = var.gateway_inbound_addresses
  restrict_domains_to_ip_addresses = var.mx_moved
  require_tls                      = true
  ef_skip_last_ip                  = var.filtering == "enhanced"
}

# Beyond Cisco's guide: mail in the name of the tenant's own domains comes through a connector or not at all.
resource "mailflow_exchange_organization_mail_flow" "this" {
  count = var.reject_direct_send == null ? 0 : 1

  reject_direct_send = var.reject_direct_send
}

# Step 3: a new sending address has no reputation at Microsoft yet: go slowly, with TLS.
resource "mailflow_gateway_destination_control" "domain" {
  domain                      = var.domain
  concurrency_limit           = 10
  max_messages_per_connection = 20
  tls                         = "preferred"
}

# Step 4: accept mail for the domain.
resource "mailflow_gateway_recipient_access" "domain" {
  listener  = var.inbound_listener
  recipient = var.domain
  action    = "accept"
}

# Where Microsoft 365 takes mail for the domain: read from the tenant (with the permission Domain.Read.All), or given, but never composed.
data "mailflow_exchange_domain" "this" {
  count = var.delivery_host == null ? 1 : 0

  domain = var.domain
}

locals {
  delivery_host = var.delivery_host != null ? var.delivery_host : data.mailflow_exchange_domain.this[0].mx_records[0].host
}

# Step 5: and hand it to Microsoft 365. (Step 6, the commit, happens by itself.)
resource "mailflow_gateway_smtp_route" "domain" {
  domain = var.domain
  destination {
    host = local.delivery_host
  }
}
