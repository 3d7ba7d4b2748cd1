resource "mailflow_exchange_remote_domain" "partner" {
  name                 = "Fabrikam"
  domain_name          = "*.fabrikam.example"
  allowed_oof_type     = "None"
  auto_forward_enabled = false
}

# Always there: taken over, and put back when this is destroyed.
resource "mailflow_exchange_remote_domain" "all" {
  name                 = "Default"
  domain_name          = "*"
  auto_forward_enabled = false
}
