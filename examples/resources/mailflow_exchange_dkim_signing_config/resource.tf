resource "mailflow_exchange_dkim_signing_config" "contoso" {
  domain   = "contoso.com"
  key_size = 2048
}
