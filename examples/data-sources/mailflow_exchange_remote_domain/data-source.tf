data "mailflow_exchange_remote_domain" "all" {
  name = "Default"
}
