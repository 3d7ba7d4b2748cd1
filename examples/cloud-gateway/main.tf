# A Cloud Gateway: reached through Cisco's SSH proxy, and always a cluster. The settings that differ from a gateway of your own are here; the
# resources are those of the guide.

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
  gateway {
    # The gateway as the proxy sees it.
    host      = var.gateway_host
    port      = var.gateway_port
    username  = var.gateway_username
    password  = var.gateway_password
    host_keys = var.gateway_host_keys

    # The proxy has an account and a key of its own. Cisco gives you access for a public key that you send.
    jump_host {
      host        = var.proxy_host
      port        = var.proxy_port
      username    = var.proxy_username
      password    = var.proxy_password
      private_key = var.proxy_private_key
      host_keys   = var.proxy_host_keys
    }

    # All machines of the allocation get the same settings.
    cluster {
      mode = "cluster"
    }
  }
}

# The listener that takes mail from the Internet is called MailFlow there.
resource "mailflow_gateway_recipient_access" "domain" {
  listener  = var.inbound_listener
  recipient = var.domain
  action    = "accept"
}

resource "mailflow_gateway_smtp_route" "domain" {
  domain = var.domain
  destination {
    host = var.delivery_host
  }
}

# Limits at cluster level count for each machine.
resource "mailflow_gateway_destination_control" "domain" {
  domain                      = var.domain
  concurrency_limit           = 10
  max_messages_per_connection = 20
  tls                         = "preferred"
}
