# Step 11: the policy for mail that Microsoft 365 relays, beside the gateway's own RELAYED.
resource "mailflow_gateway_mail_flow_policy" "relayed" {
  listener = var.outbound_listener
  name     = "RELAYED_O365"
  behavior = "relay"
  tls      = "preferred"
}

# The name of the sender group, which the filter needs before the group is there.
locals {
  relay_group = "RELAY_O365"
}

# Step 14, before step 10: every tenant in the world sends from the same hosts. Mail of this tenant carries the secret; all other mail is dropped.
resource "mailflow_gateway_message_filter" "office365_outbound" {
  name = "office365_outbound"
  script_wo = provider::mailflow::relay_filter_script(
    local.relay_group, "X-OUTBOUND-AUTH", concat([var.relay_secret], var.other_relay_secrets)
  )
  script_wo_version = var.relay_secret_version
}

# Step 10: who may use it. The leading dot matters: all hosts below the domain. The filter is made first and removed last.
resource "mailflow_gateway_sender_group" "relay_o365" {
  listener   = var.outbound_listener
  name       = local.relay_group
  policy     = mailflow_gateway_mail_flow_policy.relayed.name
  comment    = "Microsoft 365 outbound"
  senders    = [".protection.outlook.com"]
  guarded_by = mailflow_gateway_message_filter.office365_outbound.name
}

# Step 16: no old protocols or weak ciphers towards the Internet.
resource "mailflow_gateway_tls_settings" "this" {
  outbound_methods = ["TLSv1.2"]
  outbound_ciphers = "HIGH:MEDIUM:@STRENGTH:!aNULL:!eNULL:!LOW:!DES:!MD5:!EXP:!PSK:!DSS:!RC2:!RC4:!SEED:!ECDSA:!ADH:!IDEA:!3DES:!SSLv2:!SSLv3:!TLSv1:-aNULL:-EXPORT:-IDEA"
}

# Step 12: the way from Microsoft 365 to the gateways, used only where a rule says so.
resource "mailflow_exchange_outbound_connector" "to_gateway" {
  name                     = "Outbound to Cisco CES"
  connector_type           = "Partner"
  is_transport_rule_scoped = true
  use_mx_record            = false
  smart_hosts              = var.gateway_outbound_hosts
  tls_settings             = "EncryptionOnly"
  validation_recipients    = [var.test_recipient]
}

# Step 13: the rule, once the gateway knows the secret: mail that leaves the organization takes the connector and carries the secret.
resource "mailflow_exchange_transport_rule" "outbound" {
  name = "Outbound to Cisco CES"
  conditions {
    from_scope    = "InOrganization"
    sent_to_scope = "NotInOrganization"
  }
  actions {
    route_message_outbound_connector = mailflow_exchange_outbound_connector.to_gateway.name
    set_header_name                  = "X-OUTBOUND-AUTH"
    set_header_value_wo              = var.relay_secret
    set_header_value_wo_version      = var.relay_secret_version
  }

  depends_on = [mailflow_gateway_message_filter.office365_outbound]
}
