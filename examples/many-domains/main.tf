# Several domains through two gateways that are not in a cluster: one provider block for each gateway, and the same module for both.

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
  alias = "east"
  gateway {
    host      = var.gateways.east.host
    port      = var.gateways.east.port
    username  = var.gateway_username
    password  = var.gateway_password
    host_keys = var.gateways.east.host_keys
  }
}

provider "mailflow" {
  alias = "west"
  gateway {
    host      = var.gateways.west.host
    port      = var.gateways.west.port
    username  = var.gateway_username
    password  = var.gateway_password
    host_keys = var.gateways.west.host_keys
  }
}

module "east" {
  source = "./domains"

  domains  = var.domains
  listener = var.gateways.east.listener

  providers = {
    mailflow = mailflow.east
  }
}

module "west" {
  source = "./domains"

  domains  = var.domains
  listener = var.gateways.west.listener

  providers = {
    mailflow = mailflow.west
  }
}
