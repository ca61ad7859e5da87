from midstream.engine.main import main

main()
