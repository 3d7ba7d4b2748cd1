resource "mailflow_exchange_dkim_signing_config" "contoso" {
  domain   = "contoso.com"
  key_size = 2048
}

# Make the two records of `cname_records` between the two, and name them in `depends_on`.
resource "mailflow_exchange_dkim_activation" "contoso" {
  domain = mailflow_exchange_dkim_signing_config.contoso.domain

  timeouts {
    create = "1h"
  }
}
