resource "mailflow_exchange_accepted_domain" "contoso" {
  domain            = "contoso.com"
  domain_type       = "InternalRelay"
  match_sub_domains = true
}
