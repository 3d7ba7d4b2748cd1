data "mailflow_gateway_listeners" "all" {}

locals {
  public_listener = one([for one in data.mailflow_gateway_listeners.all.listeners : one.name if one.type == "public"])
}
