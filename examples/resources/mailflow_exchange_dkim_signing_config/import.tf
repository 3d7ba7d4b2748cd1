import {
  to = mailflow_exchange_dkim_signing_config.contoso
  id = "contoso.com"
}
