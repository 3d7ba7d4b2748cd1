list "mailflow_exchange_remote_domain" "all" {
  provider         = mailflow
  include_resource = true
  limit            = 1000
}
