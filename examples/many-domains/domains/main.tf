# Inbound mail for each domain, on one gateway.

terraform {
  required_providers {
    mailflow = {
      source = "mailflow/mailflow"
    }
  }
}

variable "domains" {
  description = "The host at which Microsoft 365 takes mail, by domain."
  type        = map(string)
}

variable "listener" {
  description = "The listener that takes mail from the Internet."
  type        = string
}

resource "mailflow_gateway_recipient_access" "domain" {
  for_each = var.domains

  listener  = var.listener
  recipient = each.key
  action    = "accept"
}

resource "mailflow_gateway_smtp_route" "domain" {
  for_each = var.domains

  domain = each.key
  destination {
    host = each.value
  }
}

resource "mailflow_gateway_destination_control" "domain" {
  for_each = var.domains

  domain                      = each.key
  concurrency_limit           = 10
  max_messages_per_connection = 20
  tls                         = "preferred"
}

output "routes" {
  description = "Where mail goes, by domain."
  value       = tomap({ for domain, route in mailflow_gateway_smtp_route.domain : domain => route.destination[0].host })
}
