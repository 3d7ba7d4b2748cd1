data "mailflow_exchange_dkim_signing_config" "contoso" {
  domain = "contoso.com"
}
