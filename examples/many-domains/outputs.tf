output "routes" {
  description = "Where each gateway sends mail, by domain."
  value = {
    east = module.east.routes
    west = module.west.routes
  }
}
