# quickstart-demo.sh
