data "mailflow_exchange_accepted_domain" "contoso" {
  domain = "contoso.com"
}
