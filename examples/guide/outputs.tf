output "next_step" {
  description = "What to do next."
  value = var.mx_moved ? "The tenant takes mail from the gateways only. Send a message in and one out, and look for both in Message Tracking and message trace." : join("", [
    "Test the way through the gateways. Then move the MX records of ", var.domain,
    " to them, wait until the old records have run out everywhere, set mx_moved = true, and apply.",
  ])
}

output "delivers_to" {
  description = "Where the gateways deliver mail for the domain: the host that Microsoft 365 expects in the MX record."
  value       = local.delivery_host
}

output "relay_filter" {
  description = "The message filter that keeps other tenants out, without the secret."
  value       = mailflow_gateway_message_filter.office365_outbound.masked_script
}
