# Microsoft 365 behind a Cisco Secure Email Gateway: the whole integration in one apply.
#
#   inbound:   Internet -> gateway -> Microsoft 365      inbound.tf
#   outbound:  Microsoft 365 -> gateway -> Internet      outbound.tf

terraform {
  required_version = ">= 1.11"

  required_providers {
    mailflow = {
      source  = "mailflow/mailflow"
      version = "~> 0.1"
    }
  }
}

provider "mailflow" {
  exchange {
    tenant_id     = var.tenant_id
    client_id     = var.client_id
    client_secret = var.client_secret
  }
  gateway {
    host      = var.gateway_host
    username  = var.gateway_username
    password  = var.gateway_password
    host_keys = var.gateway_host_keys
  }
}
