list "mailflow_exchange_dkim_signing_config" "contoso" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    domain = "*contoso*"
  }
}
