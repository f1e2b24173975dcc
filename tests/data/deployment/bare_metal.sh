# Machine A (Control Plane)
./orchestratord \
  --addr 0.0.0.0:8080 \
  --api-token $LLORCH_API_TOKEN

# Machine B (GPU Node 1)
./pool-managerd \
  --addr 0.0.0.0:9200 \
  --node-id gpu-node-1 \
  --orchestratord-url https://machine-a:8080 \
  --api-token $LLORCH_API_TOKEN

# Machine C (GPU Node 2)
./pool-managerd \
  --addr 0.0.0.0:9200 \
  --node-id gpu-node-2 \
  --orchestratord-url https://machine-a:8080 \
  --api-token $LLORCH_API_TOKEN
