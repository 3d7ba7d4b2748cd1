data "mailflow_exchange_message_trace" "failed" {
  start     = timeadd(plantimestamp(), "-24h")
  end       = plantimestamp()
  recipient = "postmaster@example.net"
  status    = "Failed"
  most      = 100
}

check "nothing_failed" {
  assert {
    condition     = length(data.mailflow_exchange_message_trace.failed.messages) == 0
    error_message = "Mail to the postmaster failed within the last day."
  }
}
