data "mailflow_exchange_dkim_activation" "contoso" {
  domain = "contoso.com"
}
