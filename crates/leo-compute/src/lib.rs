//! The cluster with its logs, and the service: task definitions, load balancer, orchestrator.
