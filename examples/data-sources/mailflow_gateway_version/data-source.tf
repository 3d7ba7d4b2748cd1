data "mailflow_gateway_version" "this" {}

output "release" {
  value = data.mailflow_gateway_version.this.release
}
