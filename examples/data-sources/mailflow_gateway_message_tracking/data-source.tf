locals {
  # The search covers whole minutes.
  minutes = "YYYY-MM-DD'T'hh:mm':00Z'"
}

data "mailflow_gateway_message_tracking" "postmaster" {
  start              = formatdate(local.minutes, timeadd(plantimestamp(), "-1h"))
  end                = formatdate(local.minutes, plantimestamp())
  recipient          = "postmaster@example.net"
  recipient_operator = "is"
  limit              = 100
}

output "last_status" {
  value = [for message in data.mailflow_gateway_message_tracking.postmaster.messages : message.message_status]
}
